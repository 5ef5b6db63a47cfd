"""The feature store of a deployed stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mlops.feature_store.athena import AthenaQueries
from mlops.feature_store.offline.athena_join import QueryService
from mlops.feature_store.store import FeatureStore
from mlops.infrastructure import environment
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.object_store import ObjectStore


@dataclass(frozen=True, slots=True)
class _FeatureStoreSettings:
    """The variables that are always read."""

    registry_table_name: str
    feature_table_name: str
    artifact_bucket_name: str


@dataclass(frozen=True, slots=True)
class _AthenaSettings:
    """The variables that are read for Athena."""

    feature_database_name: str
    ledger_workgroup_name: str


def stack_features(
    variables: Mapping[str, str],
    objects: ObjectStore,
    *,
    actor: str,
    now: Callable[[], datetime],
    queries: QueryService | None = None,
) -> FeatureStore:
    """Return the feature store: definitions and records in the registry's table, files in the bucket.

    Without `queries` nothing is read with Athena: functions join features themselves.
    """
    settings = environment.read(_FeatureStoreSettings, variables)
    return FeatureStore(
        DynamoDBTable(settings.registry_table_name),
        DynamoDBTable(settings.feature_table_name),
        objects,
        settings.artifact_bucket_name,
        actor=actor,
        now=now,
        queries=queries,
    )


def stack_features_of_people(
    variables: Mapping[str, str], objects: ObjectStore, *, actor: str, now: Callable[[], datetime]
) -> FeatureStore:
    """Return the feature store of a stack as people use it: also with Athena."""
    settings = environment.read(_AthenaSettings, variables)
    queries = AthenaQueries(settings.feature_database_name, settings.ledger_workgroup_name)
    return stack_features(variables, objects, actor=actor, now=now, queries=queries)
