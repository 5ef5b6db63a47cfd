"""The inbox: the list of emails and one email."""

from markupsafe import Markup, escape

from local.mailbox import SENDER, Mail, links_in
from local.pages.layout import page

_HERE = "/_local/inbox"


def inbox_page(mails: list[Mail]) -> str:
    """Return the list of emails in the given order."""
    return page("inbox", "Inbox", _HERE, refresh_seconds=5, mails=mails)


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
    """Return a plain text as HTML with its links clickable."""
    html, position = Markup(""), 0
    for link in links_in(text):
        start = text.index(link, position)
        html += text[position:start] + Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(link)
        position = start + len(link)
    return html + escape(text[position:])
