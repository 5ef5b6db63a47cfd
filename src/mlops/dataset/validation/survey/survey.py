"""What is known of a file once it was read: the facts that the rules judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mlops.dataset.conversion.table_file import Conversion
from mlops.dataset.form.inspection import Inspection
from mlops.dataset.limits import Limits
from mlops.dataset.table.column_names import NamedRoles
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.dialect import Dialect
from mlops.dataset.table.shape import Shape
from mlops.dataset.validation.survey.agreement import Agreement
from mlops.dataset.validation.survey.label_changes import LabelChanges
from mlops.dataset.validation.survey.row_keys import RowKeys
from mlops.dataset.validation.survey.sample import RowSample
from mlops.models.dataset import Contract, Role
from mlops.models.settings.format import FileFormatSettings
from mlops.models.settings.group import GroupSettings


@dataclass(slots=True)
class Survey:
    """All facts of a file; what could not be determined is None or empty."""

    inspection: Inspection
    purpose: str
    settings: GroupSettings
    limits: Limits
    contract: Contract | None = None
    dialect: Dialect | None = None
    names: tuple[str, ...] = ()
    shape: Shape = field(default_factory=Shape)
    columns: tuple[ColumnProfile, ...] = ()
    roles: NamedRoles = field(default_factory=NamedRoles)
    keys: RowKeys | None = None
    sample: RowSample | None = None
    labels: LabelChanges = field(default_factory=LabelChanges)
    last_record: tuple[str, ...] = ()
    last_line: int = 0
    is_named_as_gzip: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)
    form: FileFormatSettings = field(default_factory=FileFormatSettings)
    agreed: Agreement | None = None
    conversion: Conversion | None = None

    @property
    def n_rows(self) -> int:
        """Rows that were read: well-formed and not blank."""
        return max((column.n_rows for column in self.columns), default=0)

    @property
    def has_too_many_rows(self) -> bool:
        """Whether the table is longer than the limit; then it is not read to its end."""
        return self.shape.n_records > self.limits.max_rows

    @property
    def is_training(self) -> bool:
        """Whether a model is to be trained on the file."""
        return self.purpose == "training"

    @property
    def decimal(self) -> str:
        """The decimal mark of the file."""
        return self.dialect.decimal if self.dialect else "."

    @property
    def used_columns(self) -> tuple[ColumnProfile, ...]:
        """Columns that have a name and are not excluded by the settings."""
        return tuple(c for c in self.columns if c.name and c.name not in self.settings.exclude_columns)

    @property
    def features(self) -> tuple[ColumnProfile, ...]:
        """Columns that a model would learn from."""
        return tuple(column for column in self.used_columns if self.role_of(column) == "feature")

    @property
    def target(self) -> str | None:
        """The target's name: stated, or in the contract, or assumed."""
        return self.roles.target

    @property
    def id_names(self) -> tuple[str, ...]:
        """The columns that identify a row; an assumed one is left out when its values repeat often."""
        columns = {column.name: column for column in self.columns if column.name in self.roles.ids}
        return tuple(name for name in self.roles.ids if name not in columns or self.is_id(columns[name]))

    @property
    def target_column(self) -> ColumnProfile | None:
        """The target's facts, None when the file has no such column."""
        return self.find(self.target) if self.target else None

    def role_of(self, column: ColumnProfile) -> Role:
        """Return what a column is for, as contracts write it."""
        if column.name == self.target:
            return "target"
        if column.name in self.roles.ids and self.is_id(column):
            return "id"
        # another id beside the one that identifies a row is of no use to a model, and may be absent later
        is_excluded = column.name in self.settings.exclude_columns or column.is_id
        return "excluded" if is_excluded else "feature"

    def is_id(self, column: ColumnProfile) -> bool:
        """Whether a column is an id: as stated or in the contract, else by its name and its values."""
        if column.name in self.roles.ids and not self.roles.are_ids_assumed:
            return True
        return column.is_id and column.name != self.target

    def find(self, name: str) -> ColumnProfile | None:
        """Return the column of that name."""
        return next((column for column in self.columns if column.name == name), None)
