"""The inbox: the list of mails and one mail."""

from html import escape

from local.mailbox import SENDER, Mail, links_in
from local.pages.layout import page

_PREVIEW_LENGTH = 90


def inbox_page(mails: list[Mail]) -> str:
    """Return the list of mails in the given order."""
    rows = "".join(_row(mail) for mail in mails) or "<div class=empty>No mail yet.</div>"
    count = f"{len(mails)} mail{'s' if len(mails) != 1 else ''}"
    return page(
        "Inbox",
        f"<h1>Inbox</h1><p class=lead>{count} that SNS would have sent, newest first.</p>"
        f'<div class="card rows">{rows}</div>',
        "/_local/inbox",
        refresh_seconds=5,
    )


def message_page(mail: Mail) -> str:
    """Return one mail with clickable links."""
    head = "".join(
        f"<dt>{name}</dt><dd>{escape(value)}</dd>"
        for name, value in (
            ("From", SENDER),
            ("To", mail.recipient),
            ("Date", f"{mail.sent_at:%a %d %b %Y, %H:%M:%S} UTC"),
            ("Topic", mail.topic_arn),
        )
    )
    return page(
        mail.subject,
        f"<p><a href=/_local/inbox>&larr; Inbox</a></p><div class=card><h1>{escape(mail.subject)}</h1><br>"
        f"<dl class=head>{head}</dl><pre class=mail>{linked(mail.body)}</pre></div>",
        "/_local/inbox",
    )


def confirmation_page(address: str | None) -> str:
    """Return what the owner of an address sees after the click on the confirmation link."""
    if address is None:
        text = "<h1>Nothing to confirm</h1><p class=lead>The subscription is confirmed already, or gone.</p>"
    else:
        said = f"{escape(address)} now gets the mails of this topic."
        text = f"<h1>Subscription confirmed</h1><p class=lead>{said}</p>"
    return page("Subscription", text, "/_local/inbox")


def linked(text: str) -> str:
    """Return a plain text as HTML, everything escaped, its links clickable."""
    parts, position = [], 0
    for link in links_in(text):
        start = text.index(link, position)
        target = escape(link, quote=True)
        parts.append(escape(text[position:start]))
        parts.append(f'<a href="{target}" rel="noreferrer">{target}</a>')
        position = start + len(link)
    return "".join([*parts, escape(text[position:])])


def _row(mail: Mail) -> str:
    preview = " ".join(mail.body.split())[:_PREVIEW_LENGTH]
    return (
        f'<a class=row href="/_local/inbox/{mail.id}"><span>{escape(mail.recipient)}</span>'
        f"<span><b>{escape(mail.subject)}</b> <i>&ndash; {escape(preview)}</i></span>"
        f'<span class="when">{mail.sent_at:%d %b, %H:%M:%S}</span></a>'
    )
