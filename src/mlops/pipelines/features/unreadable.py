"""Sentences about cells that could not be read, for the notes of a training and the findings of a batch."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.dataset.table.table import UnreadableCells

_MAX_LINES = 5


def unreadable_notes(
    unreadable: Mapping[str, UnreadableCells], ending: str = " and count as missing"
) -> list[str]:
    """Say of each column which cells could not be read, without showing one, and what becomes of it."""
    notes = []
    for name, cells in unreadable.items():
        lines = ", ".join(map(str, cells.lines[:_MAX_LINES]))
        place = f" on line{'s' if cells.count > 1 else ''} {lines}" if lines else ""
        more = f" and {cells.count - _MAX_LINES:,} more" if cells.count > _MAX_LINES else ""
        count = "1 cell" if cells.count == 1 else f"{cells.count:,} cells"
        notes.append(f"{count} of {name!r} could not be read{place}{more}{ending}.")
    return notes
