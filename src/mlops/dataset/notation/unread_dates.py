"""Texts that are a date, a time or a duration to people, in a notation that is not read as a date."""

from __future__ import annotations

import re
from collections.abc import Collection

from mlops.dataset.notation.date_formats import MONTHS, formats_of

_YEAR = "(?:19|20)[0-9]{2}"
# Quarters, months, half-years and weeks as `2019-Q1`, `2019M03`, `T1 2019`; months of two digits for the
# year, which may be days; as the C library or Oracle write them; in Chinese and Japanese; with ordinals, or
# names of months in another language
_UNREAD = re.compile(
    rf"{_YEAR}[ -]?[QTKHS][1-4]|{_YEAR}[ -]?M(?:0?[1-9]|1[0-2])|[QTKHS][1-4][ /-]?{_YEAR}|"
    rf"[1-4][QTKHS][ /-]?{_YEAR}|{_YEAR}-?W[0-9]{{2}}(?:-?[1-7])?|"
    rf"(?:{MONTHS})[ -][0-9]{{2}}|[0-9]{{2,4}} ?[年년] ?[0-9]{{1,2}} ?[月월](?: ?[0-9]{{1,2}} ?[日일])?|"
    rf"[a-z]{{3}} (?:{MONTHS}) +[0-9]{{1,2}} [0-9:]{{5,8}}(?: [a-z]{{2,5}}| [+-][0-9]{{4}})? [0-9]{{4}}|"
    rf"[0-9]{{1,2}}-(?:{MONTHS})-(?:{_YEAR}|[0-9]{{2}}) [0-9.:]{{4,18}}(?: ?[ap]m)?(?: [+-][0-9:]{{4,6}})?|"
    r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}[ T][0-9]{1,2}[:.][0-9]{2}[0-9:.,]{0,15}(?: ?[a-z]{2,5})?|"
    rf"[0-9]{{1,2}}[-/.][^\W\d]{{3,10}}\.?[-/.]{_YEAR}|/Date\(-?[0-9]{{9,14}}(?:[+-][0-9]{{4}})?\)/|"
    r"(?:[^\W\d]{2,9}\.?,? +)?[0-9]{1,2}(?:st|nd|rd|th|\.|º)? *(?:of |de )?[^\W\d]{3,10}\.?,?"
    r"(?: +| de )[0-9]{4}|[^\W\d]{3,10}\.? +[0-9]{1,2}(?:st|nd|rd|th),? +[0-9]{4}",
    re.IGNORECASE,
)
_UNIT = r"(?:days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)"
_TIME = re.compile(
    r"(?:[0-9]+ days?,? \+?)?[0-9]{1,3}:[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?(?: ?[ap]\.?m\.?)?|"
    rf"(?:[0-9]+(?:\.[0-9]+)? ?{_UNIT} ?){{2,4}}|"
    r"P(?=[0-9T])(?:[0-9]+[YMWD])*(?:T(?:[0-9]+(?:\.[0-9]+)?[HMS])+)?",
    re.IGNORECASE,
)
_SHORT_DAY = re.compile(r"[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_DATES = ("seems to hold dates in a notation that is not read as one", "Write dates as 2024-12-31.")
_TIMES = ("holds times of day, or how long something took", "Write them as numbers, such as minutes.")
_SEVERAL = ("holds dates that are written in several ways", "Write all dates in one way, such as 2024-12-31.")


def described_dates(texts: Collection[str], min_share: float) -> tuple[str, str] | None:
    """Return what most of some texts seem to be that is a date or a time to people, and what to do.

    None where less than `min_share` (0..1) of them are.
    """
    n_needed = max(min_share * len(texts), 1)
    if sum(bool(_TIME.fullmatch(text)) for text in texts) >= n_needed:
        return _TIMES
    are_unread = [bool(_UNREAD.fullmatch(text)) for text in texts]
    if sum(are_unread) >= n_needed:
        return _DATES
    n_dates = sum(unread or bool(formats_of(text)) for unread, text in zip(are_unread, texts, strict=True))
    return _SEVERAL if n_dates >= n_needed else None


def are_short_days(texts: Collection[str]) -> bool:
    """Whether all texts may be days without a century, as `240131` for 2024-01-31."""
    return bool(texts) and all(map(_SHORT_DAY.fullmatch, texts))
