"""Decides from the beginning of a table how all its parts are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.dataset.form.inspection import inspect, read_head
from mlops.dataset.limits import Limits
from mlops.dataset.table.dialect import detect
from mlops.dataset.validation.parts.joining import beginning, text_of_part
from mlops.dataset.validation.survey.agreement import Agreement
from mlops.dataset.validation.survey.gathering import plans_of, start_survey
from mlops.dataset.validation.survey.sample import MAX_ROWS
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.dataset import Contract
from mlops.models.settings.format import FileFormatSettings
from mlops.models.settings.group import GroupSettings


def agree(
    parts: Iterable[Path],
    settings: GroupSettings,
    contract: Contract | None,
    *,
    limits: Limits,
    size_bytes: int,
) -> Agreement | None:
    """Look at the first parts, as many as it takes to see the beginning of the table.

    Parameters
    ----------
    parts
        The parts in their order; they are taken one by one, so they may be downloaded meanwhile.
    size_bytes
        Size of all parts together, compressed or not: how large a sample each part is to keep.

    Returns
    -------
    Agreement or None
        None when no part could be read as a table.
    """
    form = settings.format.of("training")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "beginning.csv"
        path.write_bytes(beginning(_texts(parts, limits, form)))
        as_utf8 = replace(form, encoding=None)
        started = start_survey(path, settings, contract, purpose="training", limits=limits, form=as_utf8)
        survey = started.completed()
    return _agreement(survey, size_bytes) if survey.dialect is not None else None


def corrected(agreement: Agreement, table: Survey) -> Agreement | None:
    """Return the agreement as it should have been: without numbers in columns that proved to be text, and
    with dates in the notation that most of them have.

    None when nothing is to be corrected.
    """
    plans = plans_of(table)
    wrong = {p for p, plan in enumerate(agreement.plans) if plan == "number" and plans[p] != "number"}
    notations = tuple(column.final_notation for column in table.columns)
    wrong |= {p for p, notation in enumerate(notations) if notation != agreement.notations[p]}
    if not wrong:
        return None
    plans_now = tuple("text" if p in wrong else plan for p, plan in enumerate(agreement.plans))
    return replace(agreement, plans=plans_now, notations=notations)


def _texts(parts: Iterable[Path], limits: Limits, form: FileFormatSettings) -> Iterator[bytes]:
    is_first = True
    for path in parts:
        inspection = inspect(path, limits, encoding=form.encoding)
        dialect = detect(read_head(path, inspection), form) if inspection.is_readable else None
        if dialect is not None:
            yield from text_of_part(path, inspection, 0 if is_first else dialect.skipped_bytes)
            is_first = False


def _agreement(survey: Survey, size_bytes: int) -> Agreement:
    dialect = survey.dialect
    assert dialect is not None  # noqa: S101  the caller has looked
    plans = plans_of(survey)
    return Agreement(
        names=survey.names,
        delimiter=dialect.delimiter,
        decimal=dialect.decimal,
        plans=tuple(plans[position] for position in range(len(survey.columns))),
        has_numbers=tuple(
            c.n_numbers + c.n_number_like > 0 or c.n_missing_as_number == c.n_rows for c in survey.columns
        ),
        notations=tuple(c.final_notation for c in survey.columns),
        personal=tuple(c.personal for c in survey.columns),
        sample_stride=_stride(survey, size_bytes),
        quote=dialect.quote,
        comment=dialect.comment,
    )


def _stride(survey: Survey, size_bytes: int) -> int:
    """Return how many rows one row of the sample represents, so that all parts together keep a small one."""
    bytes_per_row = survey.inspection.expanded_bytes / max(survey.n_rows, 1)
    n_rows, stride = size_bytes / max(bytes_per_row, 1.0), 1
    while n_rows / stride > 2 * MAX_ROWS:
        stride *= 2
    return stride
