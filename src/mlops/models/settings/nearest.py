"""Proposals for a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MAX_PROPOSED, _MAX_LISTED = 3, 20
_MIN_LIKENESS = 0.6


def nearest(name: str, candidates: Iterable[str]) -> str:
    """Return `Did you mean 'x', 'y' or 'z'?`, or the first of the candidates when none is near."""
    names = sorted(candidates)
    if not names:
        return "There is none."
    close = list(map(repr, _alike(name, names, _MAX_PROPOSED, _MIN_LIKENESS)))
    if close:
        return f"Did you mean {' or '.join(filter(None, (', '.join(close[:-1]), close[-1])))}?"
    more = f" and {len(names) - _MAX_LISTED:,} more" if len(names) > _MAX_LISTED else ""
    return f"Known: {', '.join(names[:_MAX_LISTED])}{more}."


def closest(name: str, candidates: Iterable[str], *, min_likeness: float = _MIN_LIKENESS) -> str | None:
    """Return the candidate that is most like `name`, None when none is as alike (0..1, 1 = the same)."""
    return next(iter(_alike(name, candidates, 1, min_likeness)), None)


def _alike(name: str, candidates: Iterable[str], n_names: int, min_likeness: float) -> list[str]:
    return difflib.get_close_matches(name, candidates, n=n_names, cutoff=min_likeness)
