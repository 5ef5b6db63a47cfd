"""How new the values of the views of a service are, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from mlops.feature_store.definitions.views import FeatureView
from mlops.feature_store.offline.state import ValueStates
from mlops.feature_store.registry.references import select_features
from mlops.feature_store.registry.versions import DefinitionStore
from mlops.models.errors import FeatureStoreError
from mlops.models.settings.columns import FeatureSettings
from mlops.pages.number_format import rows


@dataclass(frozen=True, slots=True)
class ViewFreshness:
    """The state of the views that models read."""

    definitions: DefinitionStore
    values: ValueStates

    def describe(self, features: FeatureSettings, now: datetime) -> tuple[str, ...]:
        """Return a sentence for each view of the service of a model; none without a service."""
        return tuple(self._sentences(features, now)) if features.service else ()

    def _sentences(self, features: FeatureSettings, now: datetime) -> Iterator[str]:
        definitions = self.definitions.read()
        try:
            views = select_features(str(features.service), definitions, version=features.version).views
        except FeatureStoreError as error:  # a model of another feature store
            yield str(error)
            return
        for view in views:
            yield self._sentence(definitions.view(view.name), now)

    def _sentence(self, view: FeatureView, now: datetime) -> str:
        state = self.values.get(view.name)
        if state.latest is None:
            return f"The view {view.name} has no values."
        stale = ", which is older than its definition allows" if state.is_stale(view, now) else ""
        newest = f"{state.latest.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return f"The view {view.name} has {rows(state.n_rows)}, the newest value is of {newest}{stale}."
