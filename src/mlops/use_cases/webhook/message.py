"""What is sent of a notification: one short text, without links, without what a file contains."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MAX_CHARACTERS = 1_000
# Slack reads <...> as mentions and links, Teams reads Markdown; file names may contain both.
_PLAIN = str.maketrans({"<": "(", ">": ")", "[": "(", "]": ")", "`": "'", "*": "'", "&": "+"})


def compose_text(notification: Mapping[str, Any], stack_name: str) -> str:
    """Return the text about a notification as SNS hands it to a function.

    Of an email only the subject is sent: its body may name values of a file and contain links that act for
    their reader. Of an alarm its description is sent as well, which the template states.
    """
    lines = [f"{stack_name}: {notification.get('Subject') or 'A notification without a subject'}"]
    if description := _alarm_description(str(notification.get("Message", ""))):
        lines.append(description)
    else:
        lines.append("The email of this subject has the details.")
    return "\n".join(map(_plain, lines))[:MAX_CHARACTERS]


def _alarm_description(message: str) -> str:
    """Return the description in the message of an alarm; nothing for any other message."""
    try:
        document = json.loads(message)
    except ValueError:
        return ""
    is_alarm = isinstance(document, dict) and "AlarmName" in document
    return str(document.get("AlarmDescription") or "") if is_alarm else ""


def _plain(text: str) -> str:
    """Return the text so that no channel makes a mention, a link or markup of it."""
    return text.translate(_PLAIN).replace("://", ": //").replace("@", " at ")
