"""Records about a file of data: findings, the learned contract, dataset versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.models.settings.format import FormatSettings
from mlops.models.settings.group import TaskName

Verdict = Literal["accept", "warn", "reject"]
Severity = Literal["info", "warn", "reject"]
ColumnKind = Literal["integer", "number", "date", "category", "text", "empty"]
Role = Literal["feature", "target", "id", "excluded"]


@dataclass(frozen=True, slots=True)
class Finding(Record):
    """One result of a rule about a file.

    `lines` are 1-based lines of the file as an editor shows them (at most 20, the first ones), `examples` at
    most three values and never of an id, free-text or personal column. `count` is how often it occurs.
    `parts` names the part that contains each of the lines, when the data came as several files.
    `accept_with` are the lines for `model.toml` that accept the change on purpose.
    """

    rule_id: str
    severity: Severity
    message: str
    column: str | None = None
    lines: tuple[int, ...] = ()
    examples: tuple[str, ...] = ()
    count: int | None = None
    advice: str | None = None
    parts: tuple[str, ...] = ()
    accept_with: str | None = None


@dataclass(frozen=True, slots=True)
class FileFormat(Record):
    """How the file is written, as it was stated or detected; `read_table` reads it the same way.

    `names` are those of a table without a header, or in the place of its header. `converted_from` is the
    format of a file that was converted to CSV; the other fields are then of the CSV.
    """

    encoding: str
    has_bom: bool
    compression: str | None
    delimiter: str
    decimal: str
    line_ending: str
    header_line: int
    quote: str = '"'
    comment: str = ""
    has_header: bool = True
    names: tuple[str, ...] = ()
    converted_from: str | None = None
    escape: str = ""

    def as_settings(self) -> FormatSettings:
        """Return the `[format]` that reads the file in the same way again."""
        return FormatSettings(
            delim=self.delimiter,
            quote=self.quote,
            decimal_separator=self.decimal,
            encoding=None if self.has_bom else self.encoding,
            header=self.has_header,
            names=self.names or None,
            skip=None if self.converted_from else self.header_line - 1,
            comment=self.comment,
            escape=self.escape or None,
        )


@dataclass(frozen=True, slots=True)
class ColumnContract(Record):
    """What a column looked like in the file that the contract was learned from.

    `levels` are the values of a category; None when there are too many to list. `missing_share` is between
    0 and 1. `stated` names what does not come from the file but from `[columns.<name>]` in `model.toml`.

    The last fields say how the cells are written, where this is not plain: `date_format` of dates that are
    not ISO dates (codes of `strptime`, `epoch_s`, `epoch_ms`, `epoch_us`, `epoch_ns`, or `undecided` when any
    number may be the month), `thousands` and `unit` of numbers with their own `decimal` mark, `signs` when a
    negative number is not written with a hyphen before it, and `missing` the spellings that mean "missing" in
    this column alone.
    """

    name: str
    kind: ColumnKind
    role: Role
    missing_share: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    levels: tuple[str, ...] | None = None
    is_unique: bool = False
    is_required: bool = True
    stated: tuple[str, ...] = ()
    date_format: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    unit: str | None = None
    missing: tuple[str, ...] = ()
    signs: bool = False


@dataclass(frozen=True, slots=True)
class Contract(Record):
    """The schema of a model group's files: learned from an accepted one, overlaid by settings, versioned.

    `learned` keeps the columns as the file taught them when settings say otherwise. Version 0 was not learned
    at all: it holds what the settings state before there is a file.
    """

    columns: tuple[ColumnContract, ...]
    target: str | None = None
    version: int = 1
    learned_from: str | None = None
    learned: tuple[ColumnContract, ...] = ()

    @property
    def is_learned(self) -> bool:
        """Whether it knows all columns of the group's files, and not only stated ones."""
        return self.version > 0

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in the order of the file."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> ColumnContract | None:
        """Return the entry of a column, None when the contract does not know it."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True)
class ColumnSummary(Record):
    """Facts of one column that are safe to show: no values of ids, free text or personal data."""

    name: str
    kind: ColumnKind
    role: Role
    n_missing: int
    minimum: float | None = None
    maximum: float | None = None
    n_levels: int | None = None
    missing_tokens: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ValidationReport(Record):
    """The verdict over one file, with everything that led to it.

    `n_rows` counts the rows that can be used: blank rows and, for training, rows without a target are left
    out. `contract` is what this file would teach; None when it could not be read as a table.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    n_rows: int
    n_columns: int
    sha256: str
    size_bytes: int
    purpose: str
    target: str | None = None
    task: TaskName | None = None
    format: FileFormat | None = None
    columns: tuple[ColumnSummary, ...] = ()
    contract: Contract | None = None

    def of_severity(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of one severity, in order."""
        return tuple(finding for finding in self.findings if finding.severity == severity)


@dataclass(frozen=True, slots=True)
class DatasetVersion(Record):
    """One accepted file: immutable, named by its content (`dataset_id` = SHA-256 of its bytes).

    `ref` is the copy that is trained on, `source` the object version that was dropped, `contract` the
    document that it was checked against; `columns` gives the kind of each column in the order of the file.
    `replaced_by` is the dataset that has the same rows without those of forgotten persons. `feature_service`
    names the service, with its version, whose features were joined to the rows. `lineage` is the document
    that says what it was made of, when no one dropped it.
    """

    group: str
    dataset_id: str
    purpose: str
    ref: ObjectRef
    report_ref: ObjectRef
    source: ObjectRef
    upload_id: str
    size_bytes: int
    n_rows: int
    n_columns: int
    verdict: Verdict
    columns: Mapping[str, ColumnKind]
    created_at: datetime
    contract: ObjectRef | None = None
    replaced_by: str | None = None
    feature_service: str | None = None
    lineage: ObjectRef | None = None
