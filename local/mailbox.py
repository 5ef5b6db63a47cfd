"""The mails that would have been sent, kept in memory while the cloud runs."""

import itertools
import re
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

SENDER = "AWS Notifications <no-reply@sns.amazonaws.com>"
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address."""

    id: int
    recipient: str
    subject: str
    body: str
    topic_arn: str
    sent_at: datetime

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-ready, with the links that stand in it."""
        plain = asdict(self)
        plain["to"] = plain.pop("recipient")
        return plain | {"from": SENDER, "sent_at": self.sent_at.isoformat(), "links": links_in(self.body)}


_mails: list[Mail] = []
_numbers = itertools.count(1)
_adding = threading.Lock()


def deliver(recipient: str, subject: str, body: str, topic_arn: str) -> Mail:
    """Put a mail into the inbox."""
    with _adding:
        mail = Mail(next(_numbers), recipient, subject, body, topic_arn, datetime.now(UTC))
        _mails.append(mail)
    return mail


def newest_first() -> list[Mail]:
    """Return all mails, newest first."""
    return list(reversed(_mails))


def find_mail(number: int) -> Mail | None:
    """Return one mail, or None."""
    return next((mail for mail in _mails if mail.id == number), None)


def links_in(text: str) -> list[str]:
    """Return the links of a plain text in order, without the punctuation that ends a sentence."""
    return _LINK.findall(text)
