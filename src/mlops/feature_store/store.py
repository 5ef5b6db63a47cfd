"""The feature store: definitions, values over time, and the newest values, behind the verbs of Feast."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.feature_store.definitions.definition_file import Definition
from mlops.feature_store.definitions.services import StoredService
from mlops.feature_store.joined_files import (
    JoinedFile,
    ReadOnline,
    join_as_of,
    join_online,
    json_value,
    read_rows,
)
from mlops.feature_store.offline.athena_join import AthenaJoin, QueryService, athena_for
from mlops.feature_store.offline.entity_rows import EntityRows
from mlops.feature_store.offline.files import OfflineStore
from mlops.feature_store.offline.historical import RetrievalJob
from mlops.feature_store.offline.ingestion import SourceFile, ingest
from mlops.feature_store.offline.state import Ingestion, ValueStates
from mlops.feature_store.online.materialization import Materialization, Materializer, copy_all
from mlops.feature_store.online.reading import MAX_ENTITIES, OnlineResponse, read_online
from mlops.feature_store.registry.applying import Plan, commit, plan
from mlops.feature_store.registry.references import FeatureSelection, SelectedFeatures, select_features
from mlops.feature_store.registry.versions import Definitions, DefinitionStore
from mlops.infrastructure.clock import utc_now
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.table import Table
from mlops.models.errors import FeatureStoreError
from mlops.models.settings.columns import FeatureSettings

if TYPE_CHECKING:
    import pandas as pd

    from mlops.dataset.conversion.plain_csv import PlainCsv


class FeatureStore:
    """Features of all entities.

    Parameters
    ----------
    registry_table
        The table of the definitions and of what was ingested.
    online_table
        The table of the newest values.
    bucket
        Where the files with all values are, below `features/`.
    actor
        Who acts, as the audit log names them.
    queries
        Athena, if it can read the files.
    """

    def __init__(
        self,
        registry_table: Table,
        online_table: Table,
        objects: ObjectStore,
        bucket: str,
        *,
        actor: str,
        now: Callable[[], datetime] = utc_now,
        queries: QueryService | None = None,
    ) -> None:
        self.definition_store = DefinitionStore(registry_table)
        self.offline = OfflineStore(objects, bucket, ValueStates(registry_table))
        self.athena = AthenaJoin(queries, self.offline) if queries else None
        self.materializer = Materializer(self.offline, online_table)
        self.online_table = online_table
        self._services: dict[tuple[str, int | None], SelectedFeatures] = {}
        self._actor = actor
        self._now = now

    def definitions(self) -> Definitions:
        """Return all definitions with their versions."""
        return self.definition_store.read()

    def plan(self, definitions: Iterable[Definition]) -> Plan:
        """Return what `apply` would store.

        Raises
        ------
        FeatureStoreError
            If a definition is not valid, or contradicts stored values.
        """
        stored = self.definition_store.read()
        values_since = self.offline.states.values_since
        return plan(definitions, stored, values_since=values_since, by=self._actor, now=self._now())

    def apply(self, definitions: Iterable[Definition]) -> Plan:
        """Store definitions as new versions, all or none, with an audit entry; equal ones stay as they are.

        Raises
        ------
        FeatureStoreError
            As `plan`, or if someone else applied definitions meanwhile.
        """
        definitions = tuple(definitions)
        planned = self.plan(definitions)
        commit(self.definition_store, planned, by=self._actor, now=self._now())
        if self.athena is not None:
            self.athena.publish(self.definitions(), [each.name for each in definitions])
        return planned

    def ingest(self, view: str, path: Path, *, name: str = "", upload_id: str = "") -> Ingestion:
        """Store the rows of a CSV or Parquet file that are not stored yet.

        Parameters
        ----------
        name
            What messages and records call the file; by default as its path does.
        upload_id
            The upload that it came with; an upload is ingested once.

        Raises
        ------
        FeatureStoreError
            If the file does not fit the view; nothing is stored then.
        """
        definition = self.definitions().view(view)
        file = SourceFile(path, name or path.name, upload_id)
        return ingest(self.offline, definition, file, by=self._actor, now=self._now())

    def get_historical_features(
        self,
        entity_df: pd.DataFrame | Path | str,
        features: FeatureSelection,
        *,
        full_feature_names: bool = False,
        timezone: str | None = None,
        as_known: bool = False,
        engine: str = "duckdb",
    ) -> RetrievalJob:
        """Return a job that reads features as of the time of each entity row, by `to_df` or `to_parquet`.

        Parameters
        ----------
        entity_df
            A DataFrame, the path of a CSV or Parquet file, or a SELECT over the feature views: with the keys,
            the column `event_timestamp`, and any others.
        features
            The name of a service, or references such as `["vitals:bmi", "visits:n_visits"]`.
        timezone
            Of times without a UTC offset; without it they are refused.
        as_known
            Leave out rows that were created after the time of the entity row.
        engine
            "duckdb" joins here; "athena" in Athena, for more values than one machine can read.

        Raises
        ------
        FeatureStoreError
            If a view or a feature does not exist, or the engine cannot be used.
        """
        definitions = self.definitions()
        selected = select_features(features, definitions, full_feature_names=full_feature_names)
        rows, all_views = EntityRows(entity_df, timezone), definitions.views()
        athena = athena_for(engine, self.athena, rows)
        if athena is not None:
            athena.publish(definitions, [view.name for view in selected.views])
        return RetrievalJob(rows, selected, self.offline, all_views, self._now(), as_known, athena)

    def pinned(self, settings: FeatureSettings) -> FeatureSettings:
        """Return the settings with the version of their service: the one they state, else the newest.

        Raises
        ------
        FeatureStoreError
            If there is no such service, or no such version.
        """
        entry = self.definitions().find(str(settings.service), settings.version)
        if not isinstance(entry.definition, StoredService):
            raise FeatureStoreError(
                f"{entry.name} is a {entry.kind}; [features] of model.toml needs a feature service."
            )
        return replace(settings, version=entry.version)

    def join_as_of(
        self, table: PlainCsv, target: Path, settings: FeatureSettings, time_column: str
    ) -> JoinedFile:
        """Write a CSV file with the features of a service as of the time of each of its rows.

        Parameters
        ----------
        settings
            With the version of the service.

        Raises
        ------
        FeatureStoreError
            If the file lacks a key or a time, has a column of the name of a feature, or cannot be read.
        """
        selected = self._selected(settings)

        def job(entities: Path) -> RetrievalJob:
            rows = EntityRows(entities, settings.timezone)
            return RetrievalJob(rows, selected, self.offline, (), self._now(), settings.as_known)

        return join_as_of(table, target, selected, time_column, job)

    def join_online(self, table: PlainCsv, target: Path, settings: FeatureSettings) -> JoinedFile:
        """Write a CSV file with the newest values of the features of a service.

        Raises
        ------
        FeatureStoreError
            If the file lacks a key, has a column of the name of a feature, or cannot be read.
        """
        selected = self._selected(settings)
        return join_online(table, target, selected, self._reader(selected))

    def add_online(
        self, rows: Sequence[Mapping[str, Any]], settings: FeatureSettings
    ) -> list[dict[str, Any]]:
        """Return rows with the newest values of the features of a service, read for 100 rows at a time.

        A value that a row has itself stays.

        Raises
        ------
        FeatureStoreError
            If the service does not exist.
        """
        selected = self._selected(settings)
        read = self._reader(selected)
        return [
            {**{name: json_value(value.value) for name, value in values.items()}, **row}
            for some in batched(rows, MAX_ENTITIES)
            for row, values in zip(some, read_rows(some, selected, read), strict=True)
        ]

    def _selected(self, settings: FeatureSettings) -> SelectedFeatures:
        """Return what a version of a service means; it never changes, so it is read once."""
        key = str(settings.service), settings.version
        if key not in self._services:
            self._services[key] = select_features(key[0], self.definitions(), version=settings.version)
        return self._services[key]

    def _reader(self, selected: SelectedFeatures) -> ReadOnline:
        return lambda rows: read_online(self.online_table, selected, rows, self._now())

    def materialize(
        self, start: datetime | None, end: datetime, views: Sequence[str] = ()
    ) -> list[Materialization]:
        """Copy the newest values between two times, both included, into the online store.

        Parameters
        ----------
        start
            None = from the beginning.
        views
            By default all views that are online.

        Raises
        ------
        FeatureStoreError
            If a view does not exist or is not online, or a time cannot be used; after all others were copied,
            if a view cannot be copied, or not wholly.
        """
        stored, now = self.definitions(), self._now()
        copy = partial(self.materializer.materialize, start=start, end=end, views=stored.views(), now=now)
        return copy_all(stored.online_views(views), copy)

    def materialize_incremental(self, end: datetime, views: Sequence[str] = ()) -> list[Materialization]:
        """Copy what was not copied yet until `end`, late and corrected rows as well.

        Raises
        ------
        FeatureStoreError
            As `materialize`.
        """
        stored, now = self.definitions(), self._now()
        copy = partial(self.materializer.materialize_incremental, end=end, views=stored.views(), now=now)
        return copy_all(stored.online_views(views), copy)

    def get_online_features(
        self,
        features: FeatureSelection,
        entity_rows: Sequence[Mapping[str, Any]],
        *,
        full_feature_names: bool = False,
    ) -> OnlineResponse:
        """Return the newest values of 1 to 100 entities, with their status.

        Raises
        ------
        FeatureStoreError
            If a view or a feature does not exist, or an entity row lacks a key.
        """
        selected = select_features(features, self.definitions(), full_feature_names=full_feature_names)
        return read_online(self.online_table, selected, entity_rows, self._now())
