"""The inbox: the list of emails and one email."""

import re

from markupsafe import Markup, escape

from local.cloud import link_to
from local.mailbox import LINK, SENDER, Mail
from local.pages.layout import RELOAD_SECONDS, page

_HERE = "/_local/inbox"
_ADDRESS = re.compile(rf"{LINK.pattern}|s3://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


def inbox_page(mails: list[Mail], *, watch: bool) -> str:
    """Return the list of emails in the given order; on request it loads itself again."""
    return page("inbox", "Inbox", _HERE, refresh_seconds=RELOAD_SECONDS if watch else None, mails=mails)


def message_page(mail: Mail) -> str:
    """Return one email with clickable links."""
    head = (
        ("From", SENDER),
        ("To", mail.recipient),
        ("Date", f"{mail.sent_at:%a %d %b %Y, %H:%M:%S} UTC"),
        ("Topic", mail.topic_arn),
    )
    return page("email", mail.subject, _HERE, head=head, body=linked(mail.body))


def confirmation_page(address: str | None) -> str:
    """Return what the owner of an address sees after the click on the confirmation link."""
    if address is None:
        heading, text = "Nothing to confirm", "The subscription is confirmed already, or was deleted."
    else:
        heading, text = "Subscription confirmed", f"{address} now receives the emails of this topic."
    return page("notice", "Subscription", _HERE, heading=heading, text=text)


def linked(text: str) -> Markup:
    """Return a plain text as HTML with its links clickable, those to objects as well."""
    html, position = Markup(""), 0
    for match in _ADDRESS.finditer(text):
        address = match[0]
        target = link_to(address) if address.startswith("s3://") else address
        html += text[position : match.start()]
        html += Markup('<a href="{}" rel="noreferrer">{}</a>').format(target, address)
        position = match.end()
    return html + escape(text[position:])
