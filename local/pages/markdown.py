"""The little Markdown that text widgets of dashboards use, as safe HTML."""

import re

from markupsafe import Markup, escape

_INLINE = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<b>\1</b>"),
    (re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+|/[^)\s]*)\)"), r'<a href="\2" rel="noreferrer">\1</a>'),
)


def to_html(text: str) -> Markup:
    """Return headings, lists, bold, code and links of `text` as HTML; the rest stays plain and escaped."""
    html, items = Markup(""), Markup("")
    for line in [*text.splitlines(), ""]:
        if line.startswith(("- ", "* ")):
            items += Markup("<li>{}</li>").format(_inline(line[2:]))
            continue
        if items:
            html, items = html + Markup("<ul>{}</ul>").format(items), Markup("")
        heading = re.match(r"(#{1,3}) (.*)", line)
        if heading:
            html += Markup("<h{0}>{1}</h{0}>").format(len(heading[1]), _inline(heading[2]))
        elif line.strip():
            html += Markup("<p>{}</p>").format(_inline(line))
    return html


def _inline(text: str) -> Markup:
    safe = str(escape(text))
    for pattern, replacement in _INLINE:
        safe = pattern.sub(replacement, safe)
    return Markup(safe)
