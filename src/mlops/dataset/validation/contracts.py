"""The contract of a model group: learned from a file, kept as a document that people may edit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from mlops.dataset.conversion.convert import as_table_file
from mlops.dataset.conversion.workbook import SheetChoice
from mlops.dataset.limits import Limits
from mlops.dataset.notation.date_formats import ISO_DATES
from mlops.dataset.notation.notation import Notation
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.validation.accept_with import MAX_LISTED_LEVELS
from mlops.dataset.validation.survey.gathering import start_survey
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.dataset import ColumnContract, Contract
from mlops.models.errors import DatasetError
from mlops.models.settings.format import FileFormatSettings
from mlops.models.settings.group import GroupSettings
from mlops.pages.spreadsheet import write_frame


def learn_contract(path: str | Path, settings: GroupSettings | None = None) -> Contract:
    """Learn the schema of a file that is known to be good.

    Raises
    ------
    DatasetError
        If the file cannot be read as a table.
    """
    stated, limits = settings or GroupSettings(), Limits()
    with as_table_file(Path(path), SheetChoice.of(stated.format.of("training")), limits) as table:
        contract = None
        if table.conversion is None or not table.conversion.is_refused:
            survey = start_survey(
                table.path, stated, None, purpose="training", limits=limits, conversion=table.conversion
            ).completed()
            contract = contract_of(survey)
    if contract is None:
        raise DatasetError(f"{Path(path).name} cannot be read as a table; run `mlops validate` on it.")
    return contract


def contract_of_frame(frame: pd.DataFrame, settings: GroupSettings | None = None) -> Contract | None:
    """Return what a frame teaches, written to a file as pandas does; None when that is not a table."""
    stated = settings or GroupSettings()
    cells = stated.format.of("training")  # of the form only what is about cells: pandas writes the file
    form = FileFormatSettings(thousands=cells.thousands, nullstr=cells.nullstr, dateformat=cells.dateformat)
    with written(frame) as path:
        survey = start_survey(path, stated, None, purpose="training", limits=Limits(), form=form).completed()
        return contract_of(survey)


@contextmanager
def written(frame: pd.DataFrame) -> Iterator[Path]:
    """Write a frame to a file that exists as long as the context."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "frame.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            write_frame(frame, stream)
        yield path


def contract_of(survey: Survey) -> Contract | None:
    """Return what a surveyed file teaches, None when it was no table."""
    if not survey.columns or survey.n_rows == 0:
        return None
    columns = tuple(_column(survey, column) for column in survey.columns if column.name)
    target = survey.target if survey.is_training else None
    return Contract(columns, target, learned_from=survey.inspection.sha256)


def _column(survey: Survey, column: ColumnProfile) -> ColumnContract:
    role, kind = survey.role_of(column), column.kind
    is_number = column.has_range and not survey.is_id(column) and kind != "empty"
    is_listed = kind == "category" and role in ("feature", "target") and not column.personal
    levels = tuple(sorted(_levels(column))) if is_listed else None
    written = _number_notation(survey, column)
    return ColumnContract(
        name=column.name,
        kind="text" if role == "id" else kind,
        role=role,
        missing_share=round(column.n_missing / column.n_rows, 6),
        minimum=column.range.minimum if is_number else None,
        maximum=column.range.maximum if is_number else None,
        levels=levels if levels is not None and len(levels) <= MAX_LISTED_LEVELS else None,
        date_format=_date_format(column),
        decimal=written.decimal if written else None,
        thousands=written.thousands if written else None,
        unit=written.unit if written else None,
        signs=written.signs if written else False,
        missing=column.expected.missing if column.expected else (),
        is_unique=role == "id" and survey.keys is not None and not survey.keys.repeated_ids(),
    )


def _date_format(column: ColumnProfile) -> str | None:
    """Return the notation of dates; None for ISO dates, as in contracts of 0.1."""
    return column.date_format if column.is_date and column.date_format != ISO_DATES else None


def _number_notation(survey: Survey, column: ColumnProfile) -> Notation | None:
    """Return how the numbers are written when this differs from plain numbers of the file."""
    is_special = column.is_numeric and not column.notation.is_plain(survey.decimal)
    return column.notation if is_special else None


def _levels(column: ColumnProfile) -> list[str]:
    missing = column.missing_tokens
    return [level for level in column.levels if level not in missing]
