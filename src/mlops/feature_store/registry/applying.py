"""Applying of definitions: they are validated, compared with the stored ones, and stored as new versions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from mlops.feature_store.definitions.definition_file import Definition
from mlops.feature_store.definitions.on_demand import OnDemandFeatureView
from mlops.feature_store.definitions.problems import (
    on_demand_problems,
    service_problems,
    size_problem,
    type_problems,
    view_problems,
)
from mlops.feature_store.definitions.services import FeatureService, StoredService
from mlops.feature_store.definitions.views import (
    FeatureView,
    FeatureViewProjection,
    Field,
    ValueType,
)
from mlops.feature_store.registry.differences import differences
from mlops.feature_store.registry.versions import (
    KINDS,
    DefinitionChange,
    Definitions,
    DefinitionStore,
    DefinitionVersion,
    StoredDefinition,
)
from mlops.models.errors import FeatureStoreError
from mlops.models.settings.nearest import nearest

MAX_DEFINITIONS = 90  # one transaction


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying definitions would store: the new versions, and how they differ from the stored ones."""

    versions: tuple[DefinitionVersion, ...]
    differences: tuple[str, ...]
    revision: int

    def render(self) -> str:
        """Return the differences, one a line."""
        return "\n".join(self.differences) or "Everything is as it was applied before."


def plan(
    definitions: Iterable[Definition],
    stored: Definitions,
    *,
    values_since: Callable[[str], datetime | None],
    by: str,
    now: datetime,
) -> Plan:
    """Validate definitions and compare them with the stored ones.

    Parameters
    ----------
    values_since
        When values of a view were stored first, None if there are none: from then on its keys and the types
        of its features are fixed.

    Raises
    ------
    FeatureStoreError
        If a definition is not valid, or contradicts what is stored; all problems are named.
    """
    drafts = _by_name(definitions)
    problems = [each for draft in drafts.values() for each in type_problems(draft, str(draft.name))]
    problems = problems or [each for draft in drafts.values() for each in _problems(draft)]
    if not problems:
        problems = [*_reference_problems(drafts, stored), *_size_problems(drafts, stored)]
        problems += _conflicts(drafts, stored, values_since)
    if problems:
        raise FeatureStoreError(" ".join(problems))
    return Plan(*_new_versions(drafts, stored, by, now), stored.revision + 1)


def commit(store: DefinitionStore, planned: Plan, *, by: str, now: datetime) -> None:
    """Store what was planned, with an audit entry; nothing if nothing changes.

    Raises
    ------
    FeatureStoreError
        If definitions were applied meanwhile.
    """
    if not planned.versions:
        return
    names = tuple(f"{each.name} version {each.version}" for each in planned.versions)
    change = DefinitionChange(planned.revision, now, by, names, planned.differences)
    if not store.commit(change, planned.versions):
        raise FeatureStoreError("Definitions were applied by someone else meanwhile; apply the file again.")


def _by_name(definitions: Iterable[Definition]) -> dict[str, StoredDefinition]:
    drafts: dict[str, StoredDefinition] = {}
    for definition in definitions:
        try:
            draft = definition.stored() if isinstance(definition, FeatureService) else definition
            # lists become tuples, and names of types become types
            normalised = type(draft).from_dict(draft.to_dict())
        except (TypeError, ValueError, AttributeError) as error:
            raise FeatureStoreError(f"{definition.name} has a value of another type: {error}.") from error
        if drafts.setdefault(draft.name, normalised) != normalised:
            raise FeatureStoreError(f"{draft.name} is defined twice; give one of them another name.")
    if len(drafts) > MAX_DEFINITIONS:
        raise FeatureStoreError(
            f"A file may have {MAX_DEFINITIONS} definitions, not {len(drafts)}; divide it."
        )
    return drafts


def _problems(draft: StoredDefinition) -> Iterator[str]:
    if isinstance(draft, FeatureView):
        return view_problems(draft)
    if isinstance(draft, OnDemandFeatureView):
        return on_demand_problems(draft)
    return service_problems(draft.name, len(draft.projections))


def _reference_problems(drafts: Mapping[str, StoredDefinition], stored: Definitions) -> Iterator[str]:
    """Yield references to views and features that do not exist."""
    definitions = {name: each.definition for name, each in stored.current.items()} | dict(drafts)
    for draft in drafts.values():
        allowed = (FeatureView, OnDemandFeatureView) if isinstance(draft, StoredService) else (FeatureView,)
        views = {name: each for name, each in definitions.items() if isinstance(each, allowed)}
        for projection in _projections(draft):
            if projection.view not in views:
                advice = nearest(projection.view, views) if views else "Define it in the same file."
                yield f"{draft.name} uses the unknown view {projection.view!r}. {advice}"
                continue
            features: Collection[str] = views[projection.view].feature_names
            for feature in projection.features:
                if feature not in features:
                    yield f"{projection.view} has no feature {feature!r}. {nearest(feature, features)}"


def _size_problems(drafts: Mapping[str, StoredDefinition], stored: Definitions) -> Iterator[str]:
    """Yield views with the same keys whose values no item of the online store could hold."""
    definitions = {name: each.definition for name, each in stored.current.items()} | dict(drafts)
    views = [each for each in definitions.values() if isinstance(each, FeatureView)]
    changed = [each.key_names for each in drafts.values() if isinstance(each, FeatureView)]
    for keys in dict.fromkeys(changed):
        if problem := size_problem([view for view in views if view.key_names == keys]):
            yield problem


def _conflicts(
    drafts: Mapping[str, StoredDefinition],
    stored: Definitions,
    values_since: Callable[[str], datetime | None],
) -> Iterator[str]:
    """Yield changes that stored versions or stored values do not allow."""
    for name, draft in drafts.items():
        history = stored.history(name)
        if history and not isinstance(draft, KINDS[history[-1].kind]):
            yield f"{name} is the name of a {history[-1].kind} already; choose another name."
        elif isinstance(draft, FeatureView) and history and (since := values_since(name)):
            yield from _view_conflicts(draft, tuple(_versions_since(history, since)))


def _versions_since(history: Sequence[DefinitionVersion], since: datetime) -> Iterator[DefinitionVersion]:
    """Yield the versions that values may have been stored with: those that were not replaced before."""
    for version, next_version in pairwise([*history, None]):
        if version and (next_version is None or next_version.applied_at >= since):
            yield version


def _view_conflicts(draft: FeatureView, versions: Sequence[DefinitionVersion]) -> Iterator[str]:
    remedy = "Values are stored, so define a view with another name"
    before = {each.version: each.definition for each in versions}
    stored = {number: view for number, view in before.items() if isinstance(view, FeatureView)}
    keys = next(_typed(view.keys) for view in stored.values())
    if keys != _typed(draft.keys):
        listed = ", ".join(f"{name} ({dtype})" for name, dtype in keys.items())
        yield f"The keys of {draft.name} were {listed}. {remedy}."
    fields = ((number, field) for number, view in reversed(stored.items()) for field in view.schema)
    types = {field.name: (field.dtype, number) for number, field in fields}
    for field in draft.schema:
        dtype, number = types.get(field.name, (field.dtype, 0))
        if dtype != field.dtype:
            yield (
                f"{draft.name}:{field.name} was {dtype} in version {number} and is {field.dtype} now. "
                f"{remedy}, or give the feature another name."
            )


def _typed(fields: Iterable[Field]) -> dict[str, ValueType]:
    return {field.name: field.dtype for field in fields}


def _new_versions(
    drafts: Mapping[str, StoredDefinition], stored: Definitions, by: str, now: datetime
) -> tuple[tuple[DefinitionVersion, ...], tuple[str, ...]]:
    """Return what differs from the stored versions; views come first, because others name their versions."""
    numbers = {name: each.version for name, each in stored.current.items()}
    versions, lines = [], []
    for kind in KINDS:
        for draft in (each for each in drafts.values() if isinstance(each, KINDS[kind])):
            pinned, before = _pinned(draft, numbers), stored.current.get(draft.name)
            changes = list(differences(before.document if before else {}, pinned.to_dict()))
            if not changes:
                continue
            numbers[draft.name] = number = before.version + 1 if before else 1
            versions.append(DefinitionVersion(kind, draft.name, number, pinned.to_dict(), now, by))
            lines += [f"{kind} {draft.name}: version {number}", *(f"  {change}" for change in changes)]
    return tuple(versions), tuple(lines)


def _pinned(draft: StoredDefinition, numbers: Mapping[str, int]) -> StoredDefinition:
    """Return the definition with the versions of the views that it uses."""
    projections = tuple(replace(each, version=numbers[each.view]) for each in _projections(draft))
    if isinstance(draft, StoredService):
        return replace(draft, projections=projections)
    if isinstance(draft, OnDemandFeatureView):
        return replace(draft, sources=projections)
    return draft


def _projections(draft: StoredDefinition) -> tuple[FeatureViewProjection, ...]:
    if isinstance(draft, StoredService):
        return draft.projections
    return draft.sources if isinstance(draft, OnDemandFeatureView) else ()
