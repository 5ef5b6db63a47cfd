"""The frame of our pages: plain HTML without a script, readable on a phone and by a screen reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape

from mlops.approval.pages.style import STYLE
from mlops.models.training import Interval
from mlops.pages.page import page


def document(title: str, content: str) -> str:
    """Return a whole page; `content` is HTML."""
    return page(title, content, STYLE)


def render_message(title: str, sentences: Iterable[str]) -> str:
    """Return a page that only says something, such as why a link does not work."""
    paragraphs = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return document(title, f'<section class="notice"><h1>{escape(title)}</h1>{paragraphs}</section>')


def header(kind: str, name: str, question: str = "", more: str = "") -> str:
    """Return the head of a page; `more` is HTML."""
    lead = f'<p class="lead">{escape(question)}</p>' if question else ""
    return f"<header><p>{escape(kind)}</p><h1>{escape(name)}</h1>{lead}{more}</header>"


def problem_notice(problem: str) -> str:
    """Return what was wrong with a form that came in; a screen reader starts there."""
    if not problem:
        return ""
    return (
        '<section class="notice bad" role="alert" tabindex="-1" autofocus>'
        f"<p><strong>{escape(problem)}</strong></p></section>"
    )


def sentences(title: str, entries: Iterable[str], intro: str = "") -> str:
    """Return a section with a list; nothing when the list is empty."""
    items = "".join(f"<li>{escape(entry)}</li>" for entry in entries)
    message = f'<p class="soft">{escape(intro)}</p>' if intro else ""
    return f"<section><h2>{title}</h2>{message}<ul>{items}</ul></section>" if items else ""


def facts(title: str, entries: Mapping[str, str], more: str = "") -> str:
    """Return a section with names and values; `more` is HTML that follows."""
    pairs = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in entries.items())
    return f"<section><h2>{title}</h2><dl>{pairs}</dl>{more}</section>"


def form(title: str, nonce: str, content: str, button: str) -> str:
    """Return a section with a form that sends itself to its own address; `content` is HTML."""
    return (
        f'<section class="decide"><h2>{title}</h2><form method="post" autocomplete="off">'
        f'<input type="hidden" name="nonce" value="{escape(nonce)}">{content}'
        f'<button type="submit">{button}</button></form></section>'
    )


def reason_field(reason: str, when: str) -> str:
    """Return the field for the reason; `when` says when it is needed."""
    return (
        f'<label class="field" for="reason">Reason <span class="soft">({when})</span></label>'
        f'<textarea id="reason" name="reason" maxlength="1000">{escape(reason)}</textarea>'
    )


def version_field(version: str) -> str:
    """Return the field into which the version is typed, so that nobody decides by a stray click."""
    return (
        f'<label class="field" for="version">Type the version, <code>{escape(version)}</code>, to confirm'
        "</label>"
        '<input type="text" id="version" name="version" required maxlength="32" '
        'autocapitalize="none" spellcheck="false">'
    )


def time_tag(moment: datetime) -> str:
    """Return a time for people and machines."""
    return f'<time datetime="{moment.isoformat()}">{moment:%d %b %Y, %H:%M} UTC</time>'


def range_note(interval: Interval | None, form: str) -> str:
    """Return an interval in small letters."""
    return f"<small>{interval[0]:{form}} to {interval[1]:{form}}</small>" if interval else ""


def number(value: float | None) -> str:
    """Return a score, or a dash when there is none."""
    return "–" if value is None else f"{value:.4f}"
