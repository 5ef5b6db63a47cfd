"""Proposals for a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MAX_PROPOSED, _MAX_LISTED = 3, 20


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `Did you mean 'x', 'y' or 'z'?`, or the first known names when none is near."""
    names = sorted(known)
    if not names:
        return "There is none."
    close = [repr(each) for each in difflib.get_close_matches(name, names, n=_MAX_PROPOSED, cutoff=0.6)]
    if close:
        return f"Did you mean {' or '.join(filter(None, (', '.join(close[:-1]), close[-1])))}?"
    more = f" and {len(names) - _MAX_LISTED:,} more" if len(names) > _MAX_LISTED else ""
    return f"Known: {', '.join(names[:_MAX_LISTED])}{more}."
