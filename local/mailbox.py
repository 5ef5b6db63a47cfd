"""The emails that would have been sent, kept in memory while the cloud runs."""

import itertools
import re
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

SENDER = "AWS Notifications <no-reply@sns.amazonaws.com>"
LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


@dataclass(frozen=True, slots=True)
class Email:
    """One email to one address."""

    id: int
    recipient: str
    subject: str
    body: str
    topic_arn: str
    sent_at: datetime

    def to_dict(self) -> dict[str, Any]:
        """Return it JSON-ready, with the links in its text."""
        plain = asdict(self)
        plain["to"] = plain.pop("recipient")
        return plain | {"from": SENDER, "sent_at": self.sent_at.isoformat(), "links": links_in(self.body)}


_emails: list[Email] = []
_numbers = itertools.count(1)
_adding = threading.Lock()


def deliver(recipient: str, subject: str, body: str, topic_arn: str) -> Email:
    """Put an email into the inbox."""
    with _adding:
        email = Email(next(_numbers), recipient, subject, body, topic_arn, datetime.now(UTC))
        _emails.append(email)
    return email


def newest_first() -> list[Email]:
    """Return all emails, newest first."""
    return list(reversed(_emails))


def find_email(number: int) -> Email | None:
    """Return one email, or None."""
    return next((email for email in _emails if email.id == number), None)


def links_in(text: str) -> list[str]:
    """Return the links of a plain text in order, without the punctuation that ends a sentence."""
    return LINK.findall(text)


# the names that the pages use
Mail = Email
find_mail = find_email
