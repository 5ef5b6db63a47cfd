"""Which features a caller means: a service, or references such as `vitals:bmi`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlops.feature_store.definitions.on_demand import OnDemandFeatureView
from mlops.feature_store.definitions.services import FeatureService, StoredService
from mlops.feature_store.definitions.views import FeatureView, FeatureViewProjection, Field, ValueType
from mlops.feature_store.registry.versions import Definitions
from mlops.models.errors import FeatureStoreError
from mlops.models.settings.nearest import nearest

type FeatureSelection = str | FeatureService | Sequence[str]


@dataclass(frozen=True, slots=True)
class SelectedFeature:
    """A feature of a view, and the name of its column in the result."""

    view: str
    name: str
    dtype: ValueType
    column: str


@dataclass(frozen=True, slots=True)
class SelectedFeatures:
    """Everything that is read and computed for one request.

    `views` are those that are read, also for the functions alone; `features` are the columns of the result.
    """

    views: tuple[FeatureView, ...]
    on_demand: tuple[OnDemandFeatureView, ...]
    features: tuple[SelectedFeature, ...]

    @property
    def entity_fields(self) -> tuple[Field, ...]:
        """What entity rows need: the keys, and the values that functions get of a request."""
        keys = {field.name: field for view in self.views for field in view.keys}
        return (*keys.values(), *self.request_fields)

    @property
    def request_fields(self) -> tuple[Field, ...]:
        """The values that functions get of a request."""
        return tuple({field.name: field for view in self.on_demand for field in view.request}.values())

    def of_view(self, view: FeatureView) -> tuple[str, ...]:
        """Return the features of a view that are read, for the result or for a function."""
        needed = {feature.name for feature in self.features if feature.view == view.name}
        needed.update(*(self.arguments(each, view) for each in self.on_demand))
        return tuple(name for name in view.feature_names if name in needed)

    def arguments(self, function: OnDemandFeatureView, view: FeatureView) -> tuple[str, ...]:
        """Return the features of a view that a function gets."""
        sources = [source for source in function.sources if source.view == view.name]
        return tuple(name for source in sources for name in source.features or view.feature_names)


def select_features(
    selection: FeatureSelection,
    definitions: Definitions,
    *,
    full_feature_names: bool = False,
    version: int | None = None,
) -> SelectedFeatures:
    """Return what a selection means.

    Parameters
    ----------
    selection
        The name of a service, the service, or references `view:feature` (`view` alone: all of its features).
        A service reads the versions of the views that it was applied with.
    full_feature_names
        Whether columns are called `view__feature`.
    version
        Of the service, by default the newest.

    Raises
    ------
    FeatureStoreError
        If a view or feature does not exist, or two columns have the same name.
    """
    projections = _projections(selection, definitions, version)
    features, on_demand = [], []
    views: dict[str, FeatureView] = {}
    for projection in projections:
        view = definitions.find(projection.view, projection.version).definition
        if isinstance(view, StoredService):
            raise FeatureStoreError(f"{projection.view} is a service; name it alone, not in a list.")
        features += _selected(view, projection, full_feature_names)
        if isinstance(view, OnDemandFeatureView):
            on_demand.append(view)
            projected = {
                source.view: definitions.view(source.view, source.version) for source in view.sources
            }
            views |= {name: source for name, source in projected.items() if name not in views}
        else:
            views[view.name] = view
    unique = tuple(dict.fromkeys(features))
    _check_columns(unique, [name for view in views.values() for name in view.key_names])
    return SelectedFeatures(tuple(views.values()), tuple(on_demand), unique)


def _projections(
    selection: FeatureSelection, definitions: Definitions, version: int | None
) -> Iterable[FeatureViewProjection]:
    name = selection.name if isinstance(selection, FeatureService) else selection
    if isinstance(name, str) and ":" not in name:
        definition = definitions.find(name, version).definition
        return (
            definition.projections
            if isinstance(definition, StoredService)
            else (FeatureViewProjection(name),)
        )
    references = [name] if isinstance(name, str) else name
    merged: dict[str, list[str]] = {}
    for reference in references:
        view, _, feature = reference.partition(":")
        merged.setdefault(view, []).extend([feature] if feature else _feature_names(view, definitions))
    if not merged:
        raise FeatureStoreError("Name a service, or features such as 'vitals:bmi'.")
    return tuple(FeatureViewProjection(view, tuple(features)) for view, features in merged.items())


def _feature_names(view: str, definitions: Definitions) -> tuple[str, ...]:
    definition = definitions.find(view).definition
    return () if isinstance(definition, StoredService) else definition.feature_names


def _selected(
    view: FeatureView | OnDemandFeatureView,
    projection: FeatureViewProjection,
    full_feature_names: bool,  # noqa: FBT001
) -> list[SelectedFeature]:
    types: Mapping[str, ValueType] = {field.name: field.dtype for field in view.schema}
    names = projection.features or tuple(types)
    for name in names:
        if name not in types:
            raise FeatureStoreError(f"{view.name} has no feature {name!r}. {nearest(name, types)}")
    prefix = f"{view.name}__" if full_feature_names else ""
    return [SelectedFeature(view.name, name, types[name], prefix + name) for name in names]


def _check_columns(features: Sequence[SelectedFeature], keys: Sequence[str]) -> None:
    counts = Counter([*(feature.column for feature in features), *dict.fromkeys(keys)])
    repeated = sorted(column for column, count in counts.items() if count > 1)
    if repeated:
        raise FeatureStoreError(
            f"Two columns of the result would be called {', '.join(repeated)}; set full_feature_names "
            "(--full-feature-names), which calls them view__feature."
        )
