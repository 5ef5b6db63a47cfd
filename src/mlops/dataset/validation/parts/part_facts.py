"""What is known of one part: small enough to be kept, complete enough to be added to the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import reduce
from itertools import chain
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from mlops.dataset.form.inspection import Inspection
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.counts.aggregates import DateCounts, DistinctValues, NumberRange
from mlops.dataset.table.counts.column_counts import MAX_LEVELS
from mlops.dataset.table.dialect import Dialect
from mlops.dataset.table.occurrences import Occurrences
from mlops.dataset.table.shape import Shape
from mlops.dataset.validation.parts import codec
from mlops.dataset.validation.parts.part_rules import findings_of_part, holds_nothing
from mlops.dataset.validation.survey.gathering import assign_roles, row_keys_of
from mlops.dataset.validation.survey.label_changes import LabelChanges
from mlops.dataset.validation.survey.row_keys import RowKeys
from mlops.dataset.validation.survey.sample import RowSample
from mlops.dataset.validation.survey.spill import Spill
from mlops.dataset.validation.survey.survey import Survey
from mlops.models.dataset import Finding

_ROW_ARRAYS = ("features", "rows")


@dataclass(frozen=True, slots=True)
class PartFacts:
    """What is known of one part: `document` holds the counts, the arrays of `path` one number per row.

    The arrays of whole rows are left out unless they are requested: they are needed only where ids repeat.
    """

    name: str
    inspection: Inspection
    dialect: Dialect | None
    findings: tuple[Finding, ...]
    document: Mapping[str, Any]
    path: Path
    array_names: tuple[str, ...]

    @property
    def is_table(self) -> bool:
        """Whether the part was read as a part of the table."""
        return bool(self.document["columns"])

    @property
    def is_empty(self) -> bool:
        """Whether the part holds no bytes."""
        return holds_nothing(self.inspection)


def write_facts(survey: Survey, name: str, path: Path) -> None:
    """Write what was found out about a part to a file (`.npz`)."""
    stride = survey.agreed.sample_stride if survey.agreed else 1
    document = {
        "name": name,
        "inspection": json.loads(codec.to_json(survey.inspection)),
        "dialect": json.loads(codec.to_json(survey.dialect)) if survey.dialect else None,
        "findings": [finding.to_dict() for finding in findings_of_part(survey)],
        "columns": [json.loads(codec.to_json(_without_contract(column))) for column in survey.columns],
        "shape": json.loads(codec.to_json(survey.shape)),
        "labels": [survey.labels.n_changes, survey.labels.first, survey.labels.last],
        "sample": list(survey.sample.export(stride).items()) if survey.sample else [],
    }
    text = np.frombuffer(json.dumps(document).encode(), np.uint8)
    with ZipFile(path, "w") as archive:
        for array_name, array in chain([("facts", text)], survey.keys.export() if survey.keys else ()):
            with archive.open(f"{array_name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def read_facts(path: Path, *, with_rows: bool) -> PartFacts:
    """Read what `write_facts` wrote; `with_rows` says whether the keys of whole rows are needed."""
    with np.load(path, allow_pickle=False) as stored:
        document = json.loads(stored["facts"].tobytes())
        names = [name for name in stored.files if name != "facts" and (with_rows or name not in _ROW_ARRAYS)]
    return PartFacts(
        name=document["name"],
        inspection=codec.from_document(Inspection, document["inspection"]),
        dialect=codec.from_document(Dialect, document["dialect"]) if document["dialect"] else None,
        findings=tuple(Finding.from_dict(finding) for finding in document["findings"]),
        document=document,
        path=path,
        array_names=tuple(names),
    )


def survey_of(facts: PartFacts, table: Survey, spill: Spill) -> Survey:
    """Return a part's facts as the survey of a table of its own, whose occurrences name the part.

    `table` gives settings, contract, limits and agreement, `spill` stores the keys of all parts. What the
    part's own findings tell already is left out, so that it is not said twice.
    """
    survey = replace(table, inspection=_as_text(facts.inspection), dialect=facts.dialect)
    survey.names = table.agreed.names if table.agreed else ()
    assign_roles(survey)
    decimal = facts.dialect.decimal if facts.dialect else "."
    survey.columns = tuple(_column(entry, survey, facts.name) for entry in facts.document["columns"])
    survey.shape = _named(codec.from_document(Shape, facts.document["shape"]), facts.name)
    survey.shape.unclosed_quote_line = None
    survey.shape.swallowed, survey.shape.footers = Occurrences(), Occurrences()
    survey.labels = LabelChanges()
    survey.labels.n_changes, survey.labels.first, survey.labels.last = facts.document["labels"]
    survey.sample = RowSample.restored(dict(facts.document["sample"]), decimal)
    survey.keys = _keys(facts, row_keys_of(survey, spill=spill)) if facts.array_names else None
    return survey


def _keys(facts: PartFacts, empty: RowKeys) -> RowKeys:
    """Return the keys of a part; one array at a time is in memory."""
    with np.load(facts.path, allow_pickle=False) as stored:
        return empty.restored(stored, facts.array_names, facts.name)


def merged(first: Survey, later: Survey) -> Survey:
    """Return the survey of both parts as one table; putting three together in either order gives the same."""
    both = replace(first, inspection=codec.added(first.inspection, later.inspection, _INSPECTION_RULES))
    both.shape = codec.added(first.shape, later.shape, _SHAPE_RULES)
    both.columns = tuple(
        column_sum(one, other) for one, other in zip(first.columns, later.columns, strict=True)
    )
    both.labels = first.labels.merged(later.labels)
    both.sample = first.sample.merged(later.sample) if first.sample and later.sample else None
    both.keys = first.keys.merged(later.keys) if first.keys and later.keys else None
    return both


def merged_all(surveys: list[Survey]) -> Survey:
    """Return the survey of all parts in their order; there must be one at least."""
    return reduce(merged, surveys)


def column_sum(first: ColumnProfile, later: ColumnProfile) -> ColumnProfile:
    """Return the facts of a column over both parts."""
    both = codec.added(first, later, _COLUMN_RULES)
    if not both.has_all_levels or len(both.levels) > MAX_LEVELS:
        both.levels.clear()
        both.has_all_levels = False
    return both


def _first[T](first: T, later: T) -> T:
    return later if first is None else first


_RANGE_RULES: dict[str, Callable[[Any, Any], Any]] = {
    "minimum": min,
    "typical_minimum": min,
    "maximum": max,
    "typical_maximum": max,
}
_COLUMN_RULES: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("position", "name", "expected", "notation", "is_settled", "personal"), _first),
    "longest": max,
    "has_all_levels": lambda first, later: first and later,
    "has_three_digits": lambda first, later: first and later,
    "expects_numbers": lambda first, later: first or later,
    "is_stated_text": lambda first, later: first or later,
    "dates": lambda first, later: codec.added(first, later, {}),
    "distinct": DistinctValues.merged,
    "range": lambda first, later: codec.added(first, later, _RANGE_RULES),
}
_COLUMN_FIELDS = frozenset(field.name for field in fields(ColumnProfile))  # 0.1 wrote others as well
_SHAPE_RULES: dict[str, Callable[[Any, Any], Any]] = {
    "unclosed_quote_line": _first,
    "has_quoted_fields": lambda first, later: first or later,
    "has_stray_quote": lambda first, later: first or later,
}
_INSPECTION_RULES = dict.fromkeys(
    [field.name for field in fields(Inspection) if field.name not in ("size_bytes", "expanded_bytes")], _first
)


def _as_text(inspection: Inspection) -> Inspection:
    """Return the inspection of the part once it is plain text, as it is in the joined file."""
    return replace(inspection, sha256="", compression=None, container=None, damage=None, excess=None,
                   encoding="utf-8", has_bom=False, encoding_problem=None, encoding_line=None,
                   nul_lines=(), n_nuls=0, line_ending="lf")  # fmt: skip


def _without_contract(column: ColumnProfile) -> ColumnProfile:
    return replace(column, expected=None)


def _column(entry: Mapping[str, Any], table: Survey, part: str) -> ColumnProfile:
    counts = {key: value for key, value in entry.items() if key in _COLUMN_FIELDS}
    column = _named(codec.from_document(ColumnProfile, counts), part)
    column.expected = table.contract.column(column.name) if table.contract else None
    if table.agreed is not None and column.personal is None:
        column.personal = table.agreed.personal[column.position]
    return column


def _named[T](counts: T, part: str) -> T:
    """Write the part's name into every occurrence below."""
    if isinstance(counts, Occurrences):
        counts.parts = [part] * len(counts.lines)
    elif isinstance(counts, (ColumnProfile, DateCounts, NumberRange, Shape)):
        for field in fields(counts):
            _named(getattr(counts, field.name), part)
    elif isinstance(counts, dict):
        for item in counts.values():
            _named(item, part)
    return counts
