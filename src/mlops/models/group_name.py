"""What a model group may be called."""

from __future__ import annotations

import re

GROUP_NAME_RULE = "up to 63 letters, digits, dots, hyphens and underscores, beginning with a letter or digit"
_GROUP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def is_group_name(text: str) -> bool:
    """Return whether a text can name a model group."""
    return _GROUP_NAME.fullmatch(text) is not None


def find_group_name_problem(text: str) -> str:
    """Return why a text cannot name a model group; empty when it can."""
    return "" if is_group_name(text) else f"{text!r} cannot name a model group; use {GROUP_NAME_RULE}."
