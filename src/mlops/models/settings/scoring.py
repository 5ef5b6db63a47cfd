"""The tables `[scoring]` and `[output]` of `model.toml`: files to score, and how predictions are written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from mlops.models.errors import SettingsError
from mlops.models.output_columns import STATUS_COLUMN, is_reserved
from mlops.models.record import Record

MIN_ROWS_JUDGED = 100
ALL_COLUMNS = "*"  # in `keep_columns`
# one Lambda function, several of them side by side (a Distributed Map), or a SageMaker processing job
ScoringEngine = Literal["lambda", "map", "job"]


@dataclass(frozen=True, slots=True)
class ScoringSettings(Record):
    """What is done with files to score.

    With `wait_for_champion` they wait until the group has a champion; without it they are refused until then.
    A file of at least 100 rows is refused when more than the share `max_bad_share` (0..1) of its rows cannot
    be scored; a smaller one when none can. `row_status_column` is the name of the column that says of each
    row whether it was scored. `engine` is what scores the files; with `auto` their size decides.
    With `shadow` a candidate that waits for approval scores the files as well, for its approvers only.
    """

    wait_for_champion: bool = True
    max_bad_share: float = 0.05
    row_status_column: str = STATUS_COLUMN
    engine: ScoringEngine | Literal["auto"] = "auto"
    shadow: bool = True

    def __post_init__(self) -> None:
        """Refuse values that cannot work."""
        if not 0.0 <= self.max_bad_share <= 1.0:
            raise SettingsError(f"scoring.max_bad_share must be from 0 to 1, not {self.max_bad_share!r}.")
        if not self.row_status_column.strip():
            raise SettingsError("scoring.row_status_column must have a name.")
        if is_reserved(self.row_status_column):
            raise SettingsError(
                f"scoring.row_status_column cannot be {self.row_status_column!r}: another column of the "
                f'predictions may have that name. State a free name, such as "{STATUS_COLUMN}".'
            )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict; what was added later is in it only when it is stated."""
        return _with_stated(self, ("max_bad_share", "row_status_column", "engine", "shadow"))

    def refuses(self, n_bad: int, n_rows: int) -> bool:
        """Return whether so many rows that cannot be scored refuse the whole file."""
        if n_rows < MIN_ROWS_JUDGED or self.max_bad_share == 1.0:
            return 0 < n_rows == n_bad
        return n_bad > self.max_bad_share * n_rows


@dataclass(frozen=True, slots=True)
class OutputSettings(Record):
    """How predictions are written.

    With `escape_formulas` an apostrophe is put before a text that a spreadsheet would run as a formula.
    `keep_columns` are columns of the file to score that are written beside the predictions, `*` all of them.
    `reasons` is how many columns are named that moved the prediction most; 0 for none. `compression` is that
    of the file of predictions; with `auto` it is the one of the scored file.
    """

    escape_formulas: bool = True
    keep_columns: tuple[str, ...] = ()
    reasons: int = 0
    compression: Literal["auto", "none", "gzip"] = "auto"

    def kept_of(self, columns: Collection[str]) -> list[str]:
        """Return those of the columns of a file to score that are written beside the predictions."""
        stated = [name for name in self.keep_columns if name in columns]
        return list(dict.fromkeys((*stated, *columns))) if ALL_COLUMNS in self.keep_columns else stated

    def compresses(self, compression_of_source: str | None) -> bool:
        """Return whether predictions are compressed, of a file with or without compression."""
        return (compression_of_source if self.compression == "auto" else self.compression) == "gzip"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict; what was added later is in it only when it is stated."""
        return _with_stated(self, ("keep_columns", "reasons", "compression"))


def _with_stated(settings: Record, added: tuple[str, ...]) -> dict[str, Any]:
    default = type(settings)()
    document = Record.to_dict(settings)
    unstated = {name for name in added if getattr(settings, name) == getattr(default, name)}
    return {name: value for name, value in document.items() if name not in unstated}
