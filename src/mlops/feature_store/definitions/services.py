"""Feature services: the features that one model needs, under one name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlops.feature_store.definitions.on_demand import OnDemandFeatureView
from mlops.feature_store.definitions.views import FeatureView, FeatureViewProjection
from mlops.models.record import Record

type ServiceMember = FeatureView | FeatureViewProjection | OnDemandFeatureView


@dataclass(frozen=True, slots=True)
class StoredService(Record):
    """A service as it is stored: each view by its name and version, with the names of its features."""

    name: str
    projections: tuple[FeatureViewProjection, ...]
    description: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class FeatureService:
    """The features that one model needs: whole views, or some features of them (`vitals[["bmi"]]`)."""

    name: str
    features: Sequence[ServiceMember]
    description: str = ""
    owner: str = ""

    def stored(self) -> StoredService:
        """Return the service with the names of its views."""
        return StoredService(self.name, projections_of(self.features), self.description, self.owner)


def projections_of(members: Iterable[ServiceMember]) -> tuple[FeatureViewProjection, ...]:
    """Return members as projections; a whole view is one without named features."""
    return tuple(
        member if isinstance(member, FeatureViewProjection) else FeatureViewProjection(member.name)
        for member in members
    )
