"""Which columns `[monotonic]` may name: validation, training and the check of settings ask here."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mlops.dataset.features.date_parts import part_name
from mlops.dataset.features.texts import words_name
from mlops.dataset.privacy import shown
from mlops.models.settings.columns import EVERY_DATE
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.nearest import nearest


def derived_numbers(settings: GroupSettings, dates: Iterable[str]) -> frozenset[str]:
    """Return the names of the columns of numbers that training makes of dates and of texts.

    Parameters
    ----------
    dates
        The columns of dates, for the entry `*` of `date_parts`.
    """
    general = settings.date_parts.get(EVERY_DATE, ())
    parts = {**dict.fromkeys(dates, general), **settings.date_parts}
    of_dates = {
        part_name(name, part) for name, parts in parts.items() if name != EVERY_DATE for part in parts
    }
    return frozenset(of_dates | {words_name(name) for name in settings.text_columns})


def why_no_direction(name: str, columns: Collection[str], numbers: Collection[str]) -> str | None:
    """Say why `[monotonic]` cannot name a column; None when it can.

    Parameters
    ----------
    columns
        The columns of the file.
    numbers
        Those of numbers, and those that training makes.
    """
    if name in numbers:
        return None
    if name in columns:
        return f"[monotonic] names {shown(name)}, which is not a column of numbers."
    return f"[monotonic] names {shown(name)}, which the file does not have. {nearest(name, numbers)}"
