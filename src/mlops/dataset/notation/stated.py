"""What contract and settings say of a column's notation, before any cell is seen."""

from __future__ import annotations

from mlops.dataset.notation.date_formats import UNDECIDED
from mlops.dataset.notation.notation import Notation
from mlops.models.dataset import ColumnContract
from mlops.models.settings.format import FileFormatSettings

_OTHER_MARK = {".": ",", ",": "."}


def stated_notation(expected: ColumnContract | None, form: FileFormatSettings, decimal: str) -> Notation:
    """Return the notation of a column as far as it is stated or was learned.

    Parameters
    ----------
    expected
        The column's entry in the contract, None for a column that it does not know.
    form
        `[format]` of the settings.
    decimal
        The decimal mark of the file.
    """
    decimal = form.decimal_separator or decimal
    thousands = (expected and expected.thousands) or form.thousands
    if thousands == decimal:
        decimal = _OTHER_MARK.get(decimal, decimal)
    if expected is None:
        return Notation(decimal, thousands, date_format=form.dateformat, missing=form.nullstr or ())
    date_format = None if expected.date_format == UNDECIDED else expected.date_format
    return Notation(
        decimal=expected.decimal or decimal,
        thousands=thousands,
        unit=expected.unit,
        signs=expected.signs,
        date_format=date_format or form.dateformat,
        missing=tuple(dict.fromkeys((*(form.nullstr or ()), *expected.missing))),
        kept=expected.levels or (),
    )
