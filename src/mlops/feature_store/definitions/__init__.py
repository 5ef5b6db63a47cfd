"""What features are: entities, views, views on demand and services, with the names that Feast gives them."""

from mlops.feature_store.definitions.on_demand import (
    OnDemandFeatureView,
    RequestSource,
    on_demand_feature_view,
)
from mlops.feature_store.definitions.services import FeatureService
from mlops.feature_store.definitions.views import (
    Entity,
    FeatureView,
    FeatureViewProjection,
    Field,
    FileSource,
    ValueType,
)

__all__ = [
    "Entity",
    "FeatureService",
    "FeatureView",
    "FeatureViewProjection",
    "Field",
    "FileSource",
    "OnDemandFeatureView",
    "RequestSource",
    "ValueType",
    "on_demand_feature_view",
]
