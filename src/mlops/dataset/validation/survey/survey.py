"""Second pass over a file: everything that the rules need to know, gathered in one stream."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from mlops.dataset.limits import Limits
from mlops.dataset.privacy import keeping_cells_out
from mlops.dataset.table.blocks import Block, gathered
from mlops.dataset.table.chunks import Chunk, Plan, parse
from mlops.dataset.table.dialect import Dialect, detect
from mlops.dataset.table.inspection import BLOCK_BYTES, Inspection, inspect, open_blocks
from mlops.dataset.table.records import RecordCutter, Shape
from mlops.dataset.validation.survey.agreement import Agreement
from mlops.dataset.validation.survey.column_facts import ColumnFacts
from mlops.dataset.validation.survey.expectations import expected_contract
from mlops.dataset.validation.survey.label_changes import LabelChanges
from mlops.dataset.validation.survey.row_keys import RowKeys
from mlops.dataset.validation.survey.sample import RowSample
from mlops.models.dataset import Contract
from mlops.models.settings.group import GroupSettings

_TARGET_NAMES = ("target", "label")
_ID_NAME = re.compile(r"(?:^|.*[_ .])(?:id|uuid|guid|mrn)$", re.IGNORECASE)
_IGNORED_IN_NAMES = " \t\r\n\u00a0\u200b\ufeff"


@dataclass(slots=True)
class Survey:
    """All that is known about a file; what could not be found out is None or empty."""

    inspection: Inspection
    purpose: str
    settings: GroupSettings
    limits: Limits
    contract: Contract | None = None
    dialect: Dialect | None = None
    names: tuple[str, ...] = ()
    shape: Shape = field(default_factory=Shape)
    columns: tuple[ColumnFacts, ...] = ()
    target: str | None = None
    is_target_assumed: bool = False
    id_names: tuple[str, ...] = ()
    are_ids_assumed: bool = False
    keys: RowKeys | None = None
    sample: RowSample | None = None
    labels: LabelChanges = field(default_factory=LabelChanges)
    last_record: tuple[str, ...] = ()
    is_named_as_gzip: bool = False
    agreed: Agreement | None = None

    @property
    def n_rows(self) -> int:
        """Rows that were read: well-formed and not blank."""
        return max((column.n_rows for column in self.columns), default=0)

    @property
    def is_training(self) -> bool:
        """Whether a model is to be trained on the file."""
        return self.purpose == "training"

    @property
    def used_columns(self) -> tuple[ColumnFacts, ...]:
        """Columns that have a name and are not excluded by the settings."""
        return tuple(c for c in self.columns if c.name and c.name not in self.settings.exclude_columns)

    @property
    def features(self) -> tuple[ColumnFacts, ...]:
        """Columns that a model would learn from."""
        return tuple(c for c in self.used_columns if c.name != self.target and c.name not in self.id_names)

    @property
    def target_column(self) -> ColumnFacts | None:
        """The target's facts, None when the file has no such column."""
        return self.find(self.target) if self.target else None

    def find(self, name: str) -> ColumnFacts | None:
        """Return the column of that name."""
        return next((column for column in self.columns if column.name == name), None)


@keeping_cells_out()
def survey(
    path: Path,
    settings: GroupSettings,
    contract: Contract | None,
    *,
    purpose: str,
    limits: Limits,
    agreed: Agreement | None = None,
    kept: list[Chunk] | None = None,
) -> Survey:
    """Read the file and gather what the rules need; raises nothing for bad content.

    With `agreed` the file is one part of a larger table: it is read as the others are, so that facts add up.
    `kept` takes the rows, for who wants them as well.
    """
    inspection = inspect(path, limits)
    contract = expected_contract(contract, settings, purpose)
    found = Survey(inspection, purpose, settings, limits, contract, agreed=agreed)
    found.is_named_as_gzip = path.suffix.lower() == ".gz"
    if not inspection.is_readable:
        return found
    head = read_head(path, inspection)
    found.dialect = detect(head) if agreed is None else agreed.dialect_of(head)
    if found.dialect is None:
        return found
    found.names = clean_names(found.dialect.names)
    assign_roles(found)
    if not _is_header_sane(found) or (agreed is not None and found.names != agreed.names):
        return found
    plans: dict[int, Plan] = {}
    _pass_over(path, found, plans, kept)
    if agreed is not None:
        return found  # whether the plans were right shows when all parts are merged
    if _corrects(plans, found):
        _pass_over(path, found, plans, kept)
    if found.keys is not None and found.keys.must_compare_rows:
        _compare_rows(path, found, plans)
    return found


def read_head(path: Path, inspection: Inspection, size_bytes: int = 512 * 1024) -> bytes:
    """Return the beginning of the text, as UTF-8, cut after a newline when it has one."""
    blocks, head = open_blocks(path, inspection), b""
    for block in blocks:
        head += block
        if len(head) >= size_bytes:
            return head[: head.rfind(b"\n") + 1] or head
    return head


def clean_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the column names without surrounding or invisible space."""
    return tuple(name.strip(_IGNORED_IN_NAMES) for name in names)


def blocks_of(path: Path, inspection: Inspection, dialect: Dialect, cutter: RecordCutter) -> Iterator[Block]:
    """Yield the well-formed records after the header."""
    return cutter.cut(without_start(open_blocks(path, inspection), dialect.skipped_bytes))


def without_start(blocks: Iterator[bytes], n_bytes: int) -> Iterator[bytes]:
    """Yield the text after its first bytes."""
    left = n_bytes
    for block in blocks:
        if left < len(block):
            yield block[left:]
            break
        left -= len(block)
    yield from blocks


def _pass_over(path: Path, found: Survey, plans: dict[int, Plan], kept: list[Chunk] | None) -> None:
    """Fill the survey from one reading; the first chunk is read as text unless plans are given."""
    dialect = found.dialect
    assert dialect is not None  # noqa: S101  the caller has looked
    cutter = RecordCutter(dialect, header_of(path, found.inspection, dialect), found.limits)
    _reset(found, cutter)
    if kept is not None:
        kept.clear()
    is_planned = bool(plans)
    tokens: dict[int, tuple[str, ...]] = {}
    active: dict[int, Plan] = dict(plans) if is_planned else dict.fromkeys(range(len(found.names)), "text")
    found.labels = labels = LabelChanges()
    for block in blocks_of(path, found.inspection, dialect, cutter):
        chunk = parse(block, dialect, active, tokens)
        if kept is not None:
            kept.append(chunk)
        for column in found.columns:
            if column.position in chunk.numbers:
                column.add_numbers(chunk.numbers[column.position], chunk.lines)
            else:
                column.add_text(chunk.texts[column.position], chunk.lines)
        active.update(dict.fromkeys(chunk.mixed, "mixed"))  # reading it as numbers would fail again
        if not is_planned:
            plans.update(plans_of(found) if found.agreed is None else enumerate(found.agreed.plans))
            active.update(plans)
            numeric = frozenset(position for position, plan in plans.items() if plan == "number")
            tokens.update({c.position: tuple(c.tokens) for c in found.columns if c.position in numeric})
            chunk = replace(chunk, mixed=numeric)  # its keys must equal those of later rows
            is_planned = True
        _add_rows(found, chunk, labels)


_FEW_LABELS = 100


def header_of(path: Path, inspection: Inspection, dialect: Dialect) -> bytes:
    """Return the bytes of the header line."""
    head = read_head(path, inspection)[: dialect.skipped_bytes]
    return head.rstrip(b"\r\n").rsplit(b"\n", 1)[-1]


def _reset(found: Survey, cutter: RecordCutter) -> None:
    decimal = found.dialect.decimal if found.dialect else "."
    contract = found.contract
    found.shape = cutter.shape
    found.columns = tuple(
        ColumnFacts(position, name, contract.column(name) if contract else None, decimal)
        for position, name in enumerate(found.names)
    )
    if found.agreed is not None:
        for column in found.columns:
            column.expects_numbers = found.agreed.has_numbers[column.position]
            column.expects_dates = found.agreed.has_dates[column.position]
    found.keys = row_keys_of(found, compares_rows=found.agreed is not None)
    found.sample = RowSample(decimal)


def row_keys_of(found: Survey, *, compares_rows: bool = False) -> RowKeys:
    """Return empty keys for the rows of a table with these columns."""
    positions = {name: position for position, name in enumerate(found.names)}
    ids = [positions[name] for name in found.id_names if name in positions]
    target = positions.get(found.target) if found.target else None
    decimal = found.dialect.decimal if found.dialect else "."
    return RowKeys(ids, target, decimal=decimal, compares_rows=compares_rows)


def _compare_rows(path: Path, found: Survey, plans: Mapping[int, Plan]) -> None:
    """Read the rows whose ids repeat once more, for the keys of whole rows alone."""
    dialect = found.dialect
    assert dialect is not None and found.keys is not None  # noqa: S101, PT018  there are rows
    lines = found.keys.lines_of_shared_ids()
    found.keys = row_keys_of(found, compares_rows=True)
    header = header_of(path, found.inspection, dialect)
    cutter = RecordCutter(dialect, header, found.limits, wanted=lines)
    tokens = {c.position: tuple(c.tokens) for c in found.columns if plans[c.position] == "number"}
    active = dict(plans)
    for suspects in gathered(blocks_of(path, found.inspection, dialect, cutter), BLOCK_BYTES):
        chunk = parse(suspects, dialect, active, tokens)
        active.update(dict.fromkeys(chunk.mixed, "mixed"))
        found.keys.add(chunk)


def plans_of(found: Survey) -> dict[int, Plan]:
    """Decide from the columns so far which ones are parsed as numbers.

    Ids always stay text, and so does a target of few values, whose labels must be counted.
    """
    stay = {*found.id_names}
    if found.target_column is not None and 0 < len(found.target_column.levels) <= _FEW_LABELS:
        stay.add(found.target_column.name)
    return {
        column.position: "number" if column.is_numeric and column.name not in stay else "text"
        for column in found.columns
    }


def _corrects(plans: dict[int, Plan], found: Survey) -> bool:
    """Whether columns that began as numbers turned out to be text, and the plans were corrected."""
    wrong = [p for p, plan in plans_of(found).items() if plan != "number" and plans.get(p) == "number"]
    plans.update(dict.fromkeys(wrong, "text"))
    return bool(wrong)


def _add_rows(found: Survey, chunk: Chunk, labels: LabelChanges) -> None:
    assert found.keys is not None and found.sample is not None  # noqa: S101, PT018  set by _reset
    found.keys.add(chunk)
    if found.is_training:
        found.sample.add(chunk)
        if found.target_column is not None and found.target_column.position in chunk.texts:
            labels.add(chunk, found.target_column.position)
    texts = {p: cells[-1] for p, cells in chunk.texts.items()}
    numbers = {
        p: "" if values[-1] != values[-1] else f"{values[-1]:g}" for p, values in chunk.numbers.items()
    }
    found.last_record = tuple(({**texts, **numbers})[p] for p in range(len(found.names)))


def assign_roles(found: Survey) -> None:
    """Say which column is the target and which are ids, from settings, contract or names."""
    named = found.settings.target or (found.contract.target if found.contract else None)
    found.target = named or _assumed_target(found.names)
    found.is_target_assumed = named is None
    ids = found.settings.id_columns
    if not ids and found.contract:
        ids = tuple(c.name for c in found.contract.columns if c.role == "id")
    if not ids:
        ids = tuple(n for n in found.names if _ID_NAME.fullmatch(n) and n != found.target)[:1]
        found.are_ids_assumed = bool(ids)
    found.id_names = tuple(name for name in ids if name in found.names)


def _assumed_target(names: tuple[str, ...]) -> str | None:
    lowered = {name.lower(): name for name in reversed(names) if name}
    named = next((lowered[name] for name in _TARGET_NAMES if name in lowered), None)
    candidates = [name for name in reversed(names) if name and not _ID_NAME.fullmatch(name)]
    return named or next(iter(candidates), None)


def _is_header_sane(found: Survey) -> bool:
    """Whether reading on makes sense: the header itself breaks no limit."""
    limits = found.limits
    is_short = all(len(name) <= limits.max_header_characters for name in found.names)
    is_quoted_well = found.dialect is not None and not found.dialect.has_bad_header_quotes
    return is_short and is_quoted_well and 0 < len(found.names) <= limits.max_columns
