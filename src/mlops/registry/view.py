"""The reading half of the model registry."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from mlops.infrastructure.contention import Backoff
from mlops.infrastructure.object_store import ObjectStore
from mlops.models.drift.profiles import BaselineStatistics
from mlops.models.errors import (
    ModelNotFoundError,
    ObjectNotFoundError,
    RegistryConflictError,
    RegistryError,
)
from mlops.models.objects import ObjectRef
from mlops.models.registry import AuditEntry, GroupState, ModelMetadata, Status, VersionSummary
from mlops.models.settings.nearest import nearest
from mlops.pipelines.artifact_files import BASELINE
from mlops.registry.artifacts import s3_objects
from mlops.registry.audit import check
from mlops.registry.comparison.comparison import ModelComparison, compare
from mlops.registry.lifecycle import Action
from mlops.registry.store import RegistryStore


class RegistryView:
    """The reading half of `ModelRegistry`: every answer is the state of one moment."""

    def __init__(self, store: RegistryStore, backoff: Backoff, objects: ObjectStore | None = None) -> None:
        self._store = store
        self._backoff = backoff
        self._objects = objects

    def get_model(self, group: str, version: str) -> ModelMetadata:
        """Return one version.

        Raises
        ------
        ModelNotFoundError
            If the version does not exist; the message names those that do.
        """
        model = self._store.version(group, version)
        if model is not None:
            return model
        state = self._existing_state(group)
        raise ModelNotFoundError(f"{group} has no version {version!r}; its newest is {state.latest}.")

    def find_model(self, group: str, name: str) -> ModelMetadata:
        """Return the version of that name; `champion` and `latest` are names, too.

        Raises
        ------
        ModelNotFoundError
            If the version does not exist, or the group has no champion yet.
        """
        state = self._existing_state(group)
        named = {"latest": state.latest, "champion": state.champion}.get(name, name)
        if named is None:
            raise ModelNotFoundError(f"{group} has no champion yet; its newest version is {state.latest}.")
        return self.get_model(group, named)

    def list_models(self, group: str, statuses: Collection[Status] | None = None) -> list[ModelMetadata]:
        """Return the versions by rising number, all or those in one of the statuses, as at one moment."""
        return self._at_one_moment(group, lambda: self._store.versions(group, statuses))

    def list_summaries(self, group: str) -> list[VersionSummary]:
        """Return what a table says of each version, by rising number, as at one moment.

        It takes about a third of the time of `list_models`.
        """
        return self._at_one_moment(group, lambda: self._store.summaries(group))

    def _at_one_moment[T](self, group: str, read: Callable[[], list[T]]) -> list[T]:
        def attempt() -> list[T]:
            before, versions = self._store.group_state(group), read()
            if self._store.group_state(group) != before:
                raise RegistryConflictError(f"{group} changed while it was listed.")
            return versions

        return self._backoff.run(attempt)

    def count_models(self, group: str) -> int:
        """Return the number of versions; no version is read."""
        state = self._store.group_state(group)
        return state.n_versions if state else 0

    def newest_models(self, group: str, n: int) -> list[ModelMetadata]:
        """Return the `n` versions that were registered last, the newest first."""
        return self._store.newest_versions(group, n)

    def champion(self, group: str) -> ModelMetadata | None:
        """Return the version in service; None before the first promotion.

        Raises
        ------
        RegistryConflictError
            If the champion changed at every attempt to read it.
        """

        def attempt() -> ModelMetadata | None:
            state = self._store.group_state(group)
            model = self.get_model(group, state.champion) if state and state.champion else None
            if model is not None and model.status is not Status.CHAMPION:
                raise RegistryConflictError(f"{group} changed its champion meanwhile.")
            return model

        return self._backoff.run(attempt)

    def groups(self) -> list[str]:
        """Return the names of all groups that have a version."""
        return self._store.groups()

    def audit(self, group: str) -> list[AuditEntry]:
        """Return everything that ever happened to the group, oldest first."""
        return self._store.audit(group)

    def predecessor(self, group: str, champion: str | None = None) -> str:
        """Return the version that a champion (default: the one in service) replaced when it was promoted.

        Raises
        ------
        RegistryError
            If there is none to go back to.
        """
        version = champion or self._existing_state(group).champion
        if version is None:
            raise RegistryError(f"{group} has no champion yet, so there is nothing to roll back.")
        previous = self.promotion(group, version, Action.PROMOTE).previous_champion
        if previous is None:
            raise RegistryError(f"{version} is the first champion of {group}; there is none to go back to.")
        return previous

    def promotion(self, group: str, version: str, *actions: Action) -> AuditEntry:
        """Return the newest entry that made the version champion, by one of the actions when some are named.

        Raises
        ------
        RegistryError
            If it never was the champion.
        """
        expected = actions or (Action.PROMOTE, Action.ROLL_BACK)
        for entry in reversed(self.audit(group)):
            if entry.version == version and entry.action in expected:
                return entry
        raise RegistryError(f"{group} {version} was never the champion.")

    def check_audit(self, group: str) -> list[AuditEntry]:
        """Return the audit log after replaying it: it leads from nothing to the state of this moment.

        Raises
        ------
        RegistryError
            If it does not.
        """

        def attempt() -> list[AuditEntry]:
            state, models, entries = (
                self._store.group_state(group),
                self._store.versions(group),
                self.audit(group),
            )
            if self._store.group_state(group) != state:
                raise RegistryConflictError(f"{group} changed while it was checked.")
            check(entries, state, models)
            return entries

        return self._backoff.run(attempt)

    def compare_models(self, group: str, a: str, b: str) -> ModelComparison:
        """Return what differs from version `a` to version `b`; `.render()` gives it as text."""
        return compare(self.get_model(group, a), self.get_model(group, b))

    def load_baseline_statistics(self, group: str, version: str) -> BaselineStatistics:
        """Return the statistics of the version's training data, which drift is measured against.

        Raises
        ------
        ModelNotFoundError
            If the version does not exist.
        RegistryError
            If it was registered without them.
        """
        content = self.read_evidence(group, version, BASELINE)
        if content is None:
            raise RegistryError(f"{group} {version} was registered without its baseline statistics.")
        return BaselineStatistics.from_json(content)

    def read_evidence(self, group: str, version: str, name: str) -> bytes | None:
        """Return a document that training wrote beside the model; None when it was not stored."""
        folder = self.get_model(group, version).evidence_uri
        if folder is None:
            return None
        try:
            if not folder.startswith("s3://"):
                return (Path(folder) / name).read_bytes()
            return (self._objects or s3_objects()).read(ObjectRef.from_uri(f"{folder}/{name}"))
        except (FileNotFoundError, ObjectNotFoundError):
            return None

    def missing_group(self, group: str) -> ModelNotFoundError:
        """Return the error for a group without a version; it names the nearest one that has some."""
        groups = self.groups()
        proposal = nearest(group, groups) if groups else "No group has one."
        return ModelNotFoundError(f"The group {group!r} has no version yet. {proposal}")

    def _existing_state(self, group: str) -> GroupState:
        state = self._store.group_state(group)
        if state is None:
            raise self.missing_group(group)
        return state
