"""The rows of a CSV file, in whatever form it is written, for engines that read plain text only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from mlops.dataset.conversion.table_file import TableFile
from mlops.dataset.form.inspection import BLOCK_BYTES, open_blocks, without_start
from mlops.dataset.limits import Limits
from mlops.dataset.table.dialect import Dialect
from mlops.dataset.table.records import RecordCutter
from mlops.models.settings.format import FileFormatSettings


@dataclass(frozen=True, slots=True)
class PlainCsv:
    """Rows as UTF-8 text with uniform line ends, and the dialect with the names of the columns."""

    path: Path
    dialect: Dialect

    @property
    def first_line(self) -> int:
        """What a person calls the line of the column names; 0 where they are not in a line."""
        return self.dialect.header_line - (not self.dialect.has_header)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, also of those that have none in the file."""
        return tuple(name or f"column_{number}" for number, name in enumerate(self.dialect.names, start=1))


def plain_csv(
    table: TableFile, target: Path, stated: FileFormatSettings, *, limits: Limits
) -> PlainCsv | None:
    """Write the rows of a table to a file, by the form that validation finds in it.

    Parameters
    ----------
    stated
        What `[format]` says about files of this purpose.

    Returns
    -------
    PlainCsv or None
        None for what is not a table; validation says why.
    """
    form = table.recognise(stated, limits)
    if form is None:
        return None
    dialect = form.dialect
    with target.open("wb") as file:
        file.writelines(without_start(open_blocks(table.path, form.inspection), dialect.skipped_bytes))
    if dialect.escape or len(dialect.comment) > 1:
        return _in_usual_form(PlainCsv(target, dialect), limits)
    return PlainCsv(target, dialect)


def _in_usual_form(rows: PlainCsv, limits: Limits) -> PlainCsv:
    """Write rows again without comments and escapes, which engines read otherwise.

    Rows that cannot be read stay as they are: whoever reads them says so.
    """
    cutter, plain = RecordCutter(rows.dialect, b"", limits), rows.path.with_suffix(".plain")
    with rows.path.open("rb") as source, plain.open("wb") as target:
        target.writelines(block.text for block in cutter.cut(iter(lambda: source.read(BLOCK_BYTES), b"")))
    if cutter.shape.ragged or cutter.shape.bad_quotes or cutter.shape.unclosed_quote_line:
        plain.unlink()
        return rows
    plain.replace(rows.path)
    return PlainCsv(rows.path, replace(rows.dialect, comment="", escape=""))
