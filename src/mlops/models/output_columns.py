"""The names that columns of every predictions file have, whatever the model and the scored file."""

from __future__ import annotations

ROW_COLUMN = "row"
PREDICTION_COLUMN = "prediction"
PROBABILITY_PREFIX = "probability_"
INTERVAL_COLUMNS = ("interval_low", "interval_high")
SET_COLUMN = "prediction_set"
STATUS_COLUMN = "row_status"
VERSION_COLUMN = "model_version"
REASONS_COLUMN = "reasons"
INPUT_PREFIX = "input_"

_RESERVED = frozenset(
    (ROW_COLUMN, PREDICTION_COLUMN, *INTERVAL_COLUMNS, SET_COLUMN, VERSION_COLUMN, REASONS_COLUMN)
)


def is_reserved(name: str) -> bool:
    """Return whether a column other than that of the row status may have this name."""
    return name in _RESERVED or name.startswith(PROBABILITY_PREFIX)
