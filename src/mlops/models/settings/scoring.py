"""The tables `[scoring]` and `[output]` of `model.toml`: files to score, and how predictions are written."""

from __future__ import annotations

from dataclasses import dataclass

from mlops.models.record import Record


@dataclass(frozen=True, slots=True)
class ScoringSettings(Record):
    """Whether files to score wait until the group has a champion; without it they are refused until then."""

    wait_for_champion: bool = True


@dataclass(frozen=True, slots=True)
class OutputSettings(Record):
    """How predictions are written.

    With `escape_formulas` an apostrophe is put before a text that a spreadsheet would run as a formula.
    """

    escape_formulas: bool = True
