"""The versions of definitions, in the registry's table; a stored version is never changed.

All items have the partition `FEATURES`: `HEAD` with the number of changes, `DEFINITION#<name>#<version>`, and
`AUDIT#<revision>` for each change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any

from mlops.feature_store.definitions.on_demand import OnDemandFeatureView
from mlops.feature_store.definitions.services import StoredService
from mlops.feature_store.definitions.views import FeatureView
from mlops.infrastructure.table import Absent, OneOf, Put, Table, document_attributes, document_of
from mlops.models.errors import FeatureStoreError
from mlops.models.record import Record
from mlops.models.settings.nearest import nearest

type StoredDefinition = FeatureView | OnDemandFeatureView | StoredService

_PARTITION = "FEATURES"
# stored names of the kinds, which outlive the names of the classes
KINDS: Mapping[str, type[StoredDefinition]] = MappingProxyType(
    {
        "feature view": FeatureView,
        "on-demand feature view": OnDemandFeatureView,
        "feature service": StoredService,
    }
)


@dataclass(frozen=True, slots=True)
class DefinitionVersion(Record):
    """One version of a view or of a service."""

    kind: str
    name: str
    version: int
    document: Mapping[str, Any]
    applied_at: datetime
    applied_by: str

    @property
    def definition(self) -> StoredDefinition:
        """What was applied."""
        return KINDS[self.kind].from_dict(self.document)


@dataclass(frozen=True, slots=True)
class DefinitionChange(Record):
    """An entry of the audit log: what one `apply` stored."""

    revision: int
    at: datetime
    by: str
    versions: tuple[str, ...]
    differences: tuple[str, ...]


class Definitions:
    """All versions of all definitions, as they were at one moment."""

    def __init__(self, versions: Sequence[DefinitionVersion], revision: int) -> None:
        self.versions = tuple(versions)
        self.revision = revision

    @cached_property
    def current(self) -> Mapping[str, DefinitionVersion]:
        """The newest version of each definition, by name."""
        return {version.name: version for version in self.versions}

    def history(self, name: str) -> tuple[DefinitionVersion, ...]:
        """Return the versions of a definition, oldest first."""
        return tuple(version for version in self.versions if version.name == name)

    def find(self, name: str, version: int | None = None) -> DefinitionVersion:
        """Return one version of a definition, by default the newest.

        Raises
        ------
        FeatureStoreError
            If it does not exist; near names are proposed.
        """
        if name not in self.current:
            raise FeatureStoreError(
                f"There is no feature view or service {name!r}. {nearest(name, self.current)}"
                if self.current
                else f"There is no feature view or service {name!r}: apply a file of definitions first."
            )
        for each in self.history(name):
            if each.version == version:
                return each
        if version is not None:
            raise FeatureStoreError(
                f"{name} has no version {version}; the newest is {self.current[name].version}."
            )
        return self.current[name]

    def view(self, name: str, version: int | None = None) -> FeatureView:
        """Return a feature view.

        Raises
        ------
        FeatureStoreError
            If the name is that of nothing, or of something else.
        """
        stored = self.find(name, version)
        if not isinstance(stored.definition, FeatureView):
            raise FeatureStoreError(
                f"{name} is the name of a {stored.kind}, not of a feature view with values."
            )
        return stored.definition

    def views(self) -> tuple[FeatureView, ...]:
        """Return the newest version of all feature views, by name."""
        definitions = (version.definition for version in self.current.values())
        return tuple(definition for definition in definitions if isinstance(definition, FeatureView))

    def online_views(self, names: Sequence[str] = ()) -> tuple[FeatureView, ...]:
        """Return the named views, by default all that are online.

        Raises
        ------
        FeatureStoreError
            If a view does not exist or is not online.
        """
        views = tuple(map(self.view, names)) if names else self.views()
        if names and (offline := [view.name for view in views if not view.online]):
            raise FeatureStoreError(
                f"{', '.join(offline)} is not online: set online = true in the definition and apply it."
            )
        return tuple(view for view in views if view.online)


class DefinitionStore:
    """Reads definitions, and stores the versions of one change together."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self) -> Definitions:
        """Return all definitions."""
        head = self._table.get(_PARTITION, "HEAD")
        items = self._table.query(_PARTITION, "DEFINITION#")
        versions = [DefinitionVersion.from_json(document_of(item)) for item in items]
        return Definitions(versions, head["revision"] if head else 0)

    def audit(self) -> list[DefinitionChange]:
        """Return all changes, oldest first."""
        items = self._table.query(_PARTITION, "AUDIT#")
        return [DefinitionChange.from_json(document_of(item)) for item in items]

    def commit(self, change: DefinitionChange, versions: Sequence[DefinitionVersion]) -> bool:
        """Store a change with its versions; False, with nothing stored, if another one came before."""
        before = change.revision - 1
        condition = OneOf("revision", (before,)) if before else Absent()
        head = Put({"pk": _PARTITION, "sk": "HEAD", "revision": change.revision}, condition)
        entry = _item(f"AUDIT#{change.revision:08d}", change)
        stored = (_item(f"DEFINITION#{each.name}#{each.version:06d}", each) for each in versions)
        return self._table.write(head, entry, *stored)


def _item(sort: str, record: Record) -> Put:
    return Put({"pk": _PARTITION, "sk": sort, **document_attributes(record.to_json())}, Absent())
