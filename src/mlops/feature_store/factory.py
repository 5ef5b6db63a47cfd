"""The feature store of a deployed stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mlops.feature_store.athena import AthenaQueries
from mlops.feature_store.store import FeatureStore
from mlops.infrastructure import environment
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.object_store import ObjectStore


@dataclass(frozen=True, slots=True)
class _FeatureStoreSettings:
    """The variables that are read."""

    registry_table_name: str
    feature_table_name: str
    artifact_bucket_name: str
    feature_database_name: str = ""
    ledger_workgroup_name: str = ""


def stack_features(
    variables: Mapping[str, str], objects: ObjectStore, *, actor: str, now: Callable[[], datetime]
) -> FeatureStore:
    """Return the feature store: definitions and records in the registry's table, files in the bucket."""
    settings = environment.read(_FeatureStoreSettings, variables)
    return FeatureStore(
        DynamoDBTable(settings.registry_table_name),
        DynamoDBTable(settings.feature_table_name),
        objects,
        settings.artifact_bucket_name,
        actor=actor,
        now=now,
        queries=_queries(settings),
    )


def _queries(settings: _FeatureStoreSettings) -> AthenaQueries | None:
    """Return Athena for people; functions, which are not told its database, do not use it."""
    if not settings.feature_database_name:
        return None
    return AthenaQueries(settings.feature_database_name, settings.ledger_workgroup_name)
