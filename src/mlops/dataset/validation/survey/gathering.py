"""Second pass over a file: everything that the rules need to know, gathered in one stream."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mlops.dataset.conversion.table_file import Conversion
from mlops.dataset.form.inspection import (
    BLOCK_BYTES,
    Inspection,
    header_of,
    inspect,
    open_blocks,
    read_head,
    without_start,
)
from mlops.dataset.limits import Limits
from mlops.dataset.privacy import keeping_cells_out
from mlops.dataset.table.chunks import Chunk, Notations, Plan, parse
from mlops.dataset.table.column_names import is_id_name, named_roles
from mlops.dataset.table.column_profile import blank_columns
from mlops.dataset.table.dialect import Dialect, detect
from mlops.dataset.table.fields import Block, gathered
from mlops.dataset.table.occurrences import MAX_LINES, keep_lines
from mlops.dataset.table.records import RecordCutter
from mlops.dataset.validation.survey.agreement import Agreement
from mlops.dataset.validation.survey.expectations import expected_contract
from mlops.dataset.validation.survey.label_changes import LabelChanges
from mlops.dataset.validation.survey.names import matched_names
from mlops.dataset.validation.survey.row_keys import RowKeys
from mlops.dataset.validation.survey.sample import RowSample
from mlops.dataset.validation.survey.spill import Spill
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.dataset import Contract
from mlops.models.settings.format import FileFormatSettings, FormatPurpose
from mlops.models.settings.group import GroupSettings

# a block of records as it is written, and its cells as the survey read them
type SurveyedBlock = tuple[Block, Chunk]


@dataclass(frozen=True, slots=True)
class StartedSurvey:
    """A survey of which the beginning of the file was read; the blocks complete it as they are taken."""

    survey: Survey
    blocks: Iterator[SurveyedBlock]

    def completed(self) -> Survey:
        """Take the blocks that are left, and return the survey."""
        deque(self.blocks, maxlen=0)
        return self.survey


_FEW_LABELS = 100
_LINE_BREAKS = re.compile(r"[ \t]*[\r\n]+[ \t]*")
_IGNORED_IN_NAMES = " \t\r\n\u00a0\u200b\ufeff"


@keeping_cells_out()
def start_survey(  # noqa: PLR0913  each says something else about the file
    path: Path,
    settings: GroupSettings,
    contract: Contract | None,
    *,
    purpose: FormatPurpose,
    limits: Limits,
    form: FileFormatSettings | None = None,
    agreed: Agreement | None = None,
    kept: list[Chunk] | None = None,
    conversion: Conversion | None = None,
) -> StartedSurvey:
    """Read the beginning of a file, to gather what the rules need; raises nothing for bad content.

    `form` says how the file is written, by default what the settings state for the purpose. With `agreed`
    the file is one part of a larger table: it is read as the others are, so that facts add up. `kept` takes
    the rows, for callers that need them as well. `conversion` says what the file was made of.
    """
    form = settings.format.of(purpose) if form is None else form
    if conversion is not None:
        form = conversion.form_for(form)
    inspection = inspect(path, limits, encoding=form.encoding)
    if conversion is not None:
        inspection = conversion.inspection_of(inspection)
    contract = expected_contract(contract, settings, purpose)
    survey = Survey(inspection, purpose, settings, limits, contract, agreed=agreed, form=form)
    survey.conversion = conversion
    survey.is_named_as_gzip = path.suffix.lower() == ".gz"
    has_rows = _has_rows_to_read(path, survey)
    return StartedSurvey(survey, _read_rows(path, survey, kept) if has_rows else iter(()))


def _has_rows_to_read(path: Path, survey: Survey) -> bool:
    """Read the header, with the names and roles of its columns, and say whether rows can be read by it."""
    if not survey.inspection.is_readable:
        return False
    survey.dialect = _dialect_of(read_head(path, survey.inspection), survey)
    if survey.dialect is None:
        return False
    survey.names = clean_names(survey.dialect.names)
    if not survey.is_training:
        survey.names, survey.renamed = matched_names(survey.names, survey.contract)
    assign_roles(survey)
    return _is_header_sane(survey) and (survey.agreed is None or survey.names == survey.agreed.names)


def _read_rows(path: Path, survey: Survey, kept: list[Chunk] | None) -> Iterator[SurveyedBlock]:
    """Pass over the rows, once more where the first pass read a column in another way than it is written.

    The blocks of the first pass are yielded.
    """
    plans: dict[int, Plan] = {}
    with keeping_cells_out():
        yield from _pass_over(path, survey, plans, kept, {})
        if survey.agreed is not None:
            return  # whether the plans were right shows when all parts are merged
        if _corrects(plans, survey):
            notations = {column.position: column.final_notation for column in survey.columns}
            deque(_pass_over(path, survey, plans, kept, notations), maxlen=0)
        if survey.keys is not None and survey.keys.must_compare_rows:
            _compare_rows(path, survey, plans)


def _dialect_of(head: bytes, survey: Survey) -> Dialect | None:
    """Return how the table is written: as the other parts are, as a conversion wrote it, or as detected."""
    if survey.agreed is not None:
        return survey.agreed.dialect_of(head, survey.form)
    if survey.conversion is None:
        return detect(head, survey.form)
    return survey.conversion.dialect_of(head, survey.form)


def clean_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the column names without surrounding or invisible space, and in one line each."""
    return tuple(_LINE_BREAKS.sub(" ", name.strip(_IGNORED_IN_NAMES)) for name in names)


def blocks_of(path: Path, inspection: Inspection, dialect: Dialect, cutter: RecordCutter) -> Iterator[Block]:
    """Yield the well-formed records after the header."""
    return cutter.cut(without_start(open_blocks(path, inspection), dialect.skipped_bytes))


def _pass_over(
    path: Path, survey: Survey, plans: dict[int, Plan], kept: list[Chunk] | None, notations: Notations
) -> Iterator[SurveyedBlock]:
    """Fill the survey from one reading; the first chunk is read as text, to see how cells are written.

    Without plans they are made of what it shows.
    """
    dialect = survey.dialect
    assert dialect is not None  # noqa: S101  the caller has looked
    cutter = RecordCutter(dialect, header_of(path, survey.inspection, dialect.skipped_bytes), survey.limits)
    _reset(survey, cutter, notations)
    if kept is not None:
        kept.clear()
    is_first = True
    tokens: dict[int, tuple[str, ...]] = {}
    active: dict[int, Plan] = dict.fromkeys(range(len(survey.names)), "text")
    survey.labels = labels = LabelChanges()
    stated = notations_of(survey)
    for block in blocks_of(path, survey.inspection, dialect, cutter):
        if survey.has_too_many_rows:
            break
        chunk = parse(block, dialect, active, tokens, stated)
        if kept is not None:
            kept.append(chunk)
        for column in survey.columns:
            if column.position in chunk.numbers:
                column.add_numbers(chunk.numbers[column.position], chunk.lines)
            else:
                column.add_text(chunk.texts[column.position], chunk.lines)
        active.update(dict.fromkeys(chunk.mixed, "mixed"))  # reading it as numbers would fail again
        if is_first:
            if not plans:
                plans.update(plans_of(survey) if survey.agreed is None else enumerate(survey.agreed.plans))
            active.update(plans)
            numeric = frozenset(position for position, plan in plans.items() if plan == "number")
            tokens.update({c.position: tuple(c.tokens) for c in survey.columns if c.position in numeric})
            chunk = replace(chunk, mixed=numeric)  # its keys must equal those of later rows
            is_first = False
        _add_rows(survey, chunk, labels)
        yield block, chunk


def _reset(survey: Survey, cutter: RecordCutter, notations: Notations) -> None:
    survey.shape, agreed = cutter.shape, survey.agreed
    by_position = notations if agreed is None else dict(enumerate(agreed.notations))
    survey.columns = blank_columns(survey.names, survey.contract, by_position, survey.form, survey.decimal)
    for column in survey.columns:
        column.expects_numbers = agreed is not None and agreed.has_numbers[column.position]
    for position in survey.conversion.text_columns if survey.conversion else ():
        survey.columns[position].is_stated_text = True
    if survey.limits.max_lines != MAX_LINES:
        for counts in (survey.shape, *survey.columns):
            keep_lines(counts, survey.limits.max_lines)
    survey.keys = row_keys_of(survey, compares_rows=survey.agreed is not None)
    survey.sample = RowSample(survey.decimal)


def notations_of(survey: Survey) -> Notations:
    """Return how the cells of each column are written, by position."""
    return {column.position: column.notation for column in survey.columns}


def row_keys_of(survey: Survey, *, compares_rows: bool = False, spill: Spill | None = None) -> RowKeys:
    """Return empty keys for the rows of a table with these columns."""
    positions = {name: position for position, name in enumerate(survey.names)}
    ids = [positions[name] for name in survey.roles.ids if name in positions]
    target = positions.get(survey.target) if survey.target else None
    return RowKeys(
        ids,
        target,
        decimal=survey.decimal,
        compares_rows=compares_rows,
        spill=spill,
        max_lines=survey.limits.max_lines,
    )


def _compare_rows(path: Path, survey: Survey, plans: Mapping[int, Plan]) -> None:
    """Read the rows whose ids repeat once more, for the keys of whole rows alone."""
    dialect = survey.dialect
    assert dialect is not None and survey.keys is not None  # noqa: S101, PT018  there are rows
    lines = survey.keys.lines_of_shared_ids()
    survey.keys = row_keys_of(survey, compares_rows=True)
    header = header_of(path, survey.inspection, dialect.skipped_bytes)
    cutter = RecordCutter(dialect, header, survey.limits, only_lines=lines)
    tokens = {c.position: tuple(c.tokens) for c in survey.columns if plans[c.position] == "number"}
    active = dict(plans)
    for suspects in gathered(blocks_of(path, survey.inspection, dialect, cutter), BLOCK_BYTES):
        chunk = parse(suspects, dialect, active, tokens, notations_of(survey))
        active.update(dict.fromkeys(chunk.mixed, "mixed"))
        survey.keys.add(chunk)


def plans_of(survey: Survey) -> dict[int, Plan]:
    """Decide from the columns so far which ones are parsed as numbers.

    Ids always stay text, and so does a target of few values, whose labels must be counted.
    """
    stay = {*survey.roles.ids, *filter(is_id_name, survey.names)}
    if survey.target_column is not None and 0 < len(survey.target_column.levels) <= _FEW_LABELS:
        stay.add(survey.target_column.name)
    numeric = {c.position for c in survey.columns if c.is_numeric and c.notation.is_plain(survey.decimal)}
    return {
        column.position: "number" if column.position in numeric and column.name not in stay else "text"
        for column in survey.columns
    }


def _corrects(plans: dict[int, Plan], survey: Survey) -> bool:
    """Whether columns turned out to be written otherwise than their beginning, and plans were corrected."""
    wrong = [p for p, plan in plans_of(survey).items() if plan != "number" and plans.get(p) == "number"]
    wrong += [column.position for column in survey.columns if column.final_notation != column.notation]
    plans.update(dict.fromkeys(wrong, "text"))
    return bool(wrong)


def _add_rows(survey: Survey, chunk: Chunk, labels: LabelChanges) -> None:
    assert survey.keys is not None and survey.sample is not None  # noqa: S101, PT018  set by _reset
    survey.keys.add(chunk)
    if survey.is_training:
        survey.sample.add(chunk)
        if survey.target_column is not None and survey.target_column.position in chunk.texts:
            labels.add(chunk, survey.target_column.position)
    texts = {p: cells[-1] for p, cells in chunk.texts.items()}
    numbers = {
        p: "" if values[-1] != values[-1] else f"{values[-1]:g}" for p, values in chunk.numbers.items()
    }
    cells = {**texts, **numbers}
    survey.last_record = tuple(cells[position] for position in range(len(survey.names)))
    survey.last_line = int(chunk.lines[-1])


def assign_roles(survey: Survey) -> None:
    """Determine target and ids from settings, contract or names."""
    survey.roles = named_roles(survey.names, survey.settings, survey.contract)


def _is_header_sane(survey: Survey) -> bool:
    """Whether reading on makes sense: the header itself breaks no limit."""
    limits = survey.limits
    is_short = all(len(name) <= limits.max_header_characters for name in survey.names)
    is_quoted_well = survey.dialect is not None and not survey.dialect.has_bad_header_quotes
    return is_short and is_quoted_well and 0 < len(survey.names) <= limits.max_columns
