"""Which versions of models were trained with a view or a service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mlops.feature_store.registry.references import select_features
from mlops.feature_store.registry.versions import Definitions
from mlops.models.errors import FeatureStoreError
from mlops.models.record import Record
from mlops.models.registry import Status
from mlops.models.settings.columns import FeatureSettings
from mlops.registry.model_registry import ModelRegistry


@dataclass(frozen=True, slots=True)
class TrainedVersion(Record):
    """A version of a model, and the version of the service that it was trained with."""

    group: str
    version: str
    status: Status
    service: str
    service_version: int


def versions_trained_with(
    name: str, definitions: Definitions, registry: ModelRegistry
) -> Iterator[TrainedVersion]:
    """Yield the versions of all groups whose service is, or reads, the view or service of a name."""
    for group in registry.groups():
        for model in registry.list_models(group):
            features = model.settings.features
            if features.service is None or features.version is None:
                continue
            if name in names_read_by(features, definitions):
                yield TrainedVersion(
                    group, str(model.version), model.status, features.service, features.version
                )


def names_read_by(features: FeatureSettings, definitions: Definitions) -> set[str]:
    """Return the names of a service and of its views, also of those that functions read; none without one."""
    if features.service is None:
        return set()
    service = features.service
    try:
        selected = select_features(service, definitions, version=features.version)
    except FeatureStoreError:  # a model of another feature store
        return {service}
    on_demand = (view.name for view in selected.on_demand)
    return {service, *(view.name for view in selected.views), *on_demand}
