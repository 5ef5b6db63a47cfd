"""What people may write on a version, and how a group may be named."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace

from mlops.models.errors import RegistryError
from mlops.models.group_name import find_group_name_problem
from mlops.models.registry import ModelMetadata

MAX_TAGS = 50
MAX_TAG_VALUE = 256
MAX_NOTES = 10_000
MAX_REASON = 1_000

# the bidirectional controls let a text be shown in another order than it is recorded in
_TURNS_TEXT_AROUND = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# letters and symbols of Unicode that are drawn as nothing: fillers, the empty Braille cell, blanks
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\U00013441\U00013442\U0001d159")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,63}")


def check_group(group: str) -> None:
    """Refuse what cannot name a model group.

    Raises
    ------
    RegistryError
        If it cannot.
    """
    if problem := find_group_name_problem(group):
        raise RegistryError(problem)


def check_labels(tags: Mapping[str, str], notes: str) -> None:
    """Refuse labels that are too many or too long.

    Raises
    ------
    RegistryError
        If they are.
    """
    for name, value in tags.items():
        if not _TAG.fullmatch(name):
            raise RegistryError(
                f"{name!r} cannot name a tag; use up to 64 letters, digits, dots, hyphens, underscores, "
                "slashes and colons, beginning with a letter or digit."
            )
        if len(value) > MAX_TAG_VALUE:
            raise RegistryError(f"The tag {name} may have {MAX_TAG_VALUE} characters, not {len(value)}.")
    if len(tags) > MAX_TAGS:
        raise RegistryError(f"A version may have {MAX_TAGS} tags, not {len(tags)}.")
    if len(notes) > MAX_NOTES:
        raise RegistryError(f"The notes may have {MAX_NOTES:,} characters, not {len(notes):,}.")


def find_reason_problem(reason: str, *, is_required: bool) -> str:
    """Return why a reason cannot be stored in the audit log; empty when it can.

    A text that shows nothing, or only accents, is not a reason.
    """
    if (is_required or reason.strip()) and not has_visible_characters(reason):
        return "a reason is needed, in visible characters"
    if len(reason) > MAX_REASON:
        return f"the reason is longer than {MAX_REASON} characters"
    if any(map(_is_hidden, reason)):
        return "the reason has control characters; type it again without them"
    return ""


def has_visible_characters(text: str) -> bool:
    """Return whether a text shows anything: a letter, number, mark or symbol that is not blank."""
    return any(
        unicodedata.category(character)[0] in "LNPS" and character not in _BLANKS for character in text
    )


def with_labels(model: ModelMetadata, tags: Mapping[str, str | None], note: str) -> ModelMetadata:
    """Return the version with the tags set (None takes one away) and the note below those that are there."""
    merged = {name: value for name, value in {**model.tags, **tags}.items() if value is not None}
    notes = "\n".join(text for text in (model.notes, note.strip()) if text)
    check_labels(merged, notes)
    return replace(model, tags=merged, notes=notes)


def _is_hidden(character: str) -> bool:
    """Return whether a character is invisible, and breaks or reverses the text beside it."""
    is_control = unicodedata.category(character) == "Cc" and character not in "\t\r\n"
    return is_control or character in _TURNS_TEXT_AROUND
