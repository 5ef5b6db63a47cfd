"""The frame of every page that we write: one file without a script, which loads nothing from elsewhere."""

from html import escape


def page(title: str, content: str, style: str) -> str:
    """Return a whole page; `title` is text, `content` is HTML, `style` a style sheet."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex, nofollow">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
<main>
{content}
</main>
</body>
</html>
"""
