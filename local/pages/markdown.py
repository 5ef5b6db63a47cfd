"""The little Markdown that text widgets of dashboards use, as safe HTML."""

import re
from html import escape

_INLINE = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<b>\1</b>"),
    (re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+|/[^)\s]*)\)"), r'<a href="\2" rel="noreferrer">\1</a>'),
)


def to_html(text: str) -> str:
    """Return headings, lists, bold, code and links of `text` as HTML; the rest stays plain and escaped."""
    html, items = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith(("- ", "* ")):
            items.append(f"<li>{_inline(line[2:])}</li>")
            continue
        if items:
            html.append(f"<ul>{''.join(items)}</ul>")
            items = []
        heading = re.match(r"(#{1,3}) (.*)", line)
        if heading:
            level = {1: "h1", 2: "h2", 3: "h3"}[len(heading[1])]
            html.append(f"<{level}>{_inline(heading[2])}</{level}>")
        elif line.strip():
            html.append(f"<p>{_inline(line)}</p>")
    return "".join(html)


def _inline(text: str) -> str:
    safe = escape(text, quote=True)
    for pattern, replacement in _INLINE:
        safe = pattern.sub(replacement, safe)
    return safe
