"""The steps of a version's life, from its registration to the archive."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from mlops.infrastructure.contention import Backoff
from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import RegistryConflictError, RegistryError, TransitionNotAllowedError
from mlops.models.registry import GroupState, ModelMetadata, Promotion, Status
from mlops.registry import changes
from mlops.registry.changes import AuditStamp
from mlops.registry.lifecycle import TRANSITIONS, Action
from mlops.registry.store import RegistryStore
from mlops.registry.view import RegistryView


class VersionSteps(RegistryView):
    """The half of `ModelRegistry` that moves versions; every step is one transaction with its audit entry."""

    def __init__(
        self,
        store: RegistryStore,
        backoff: Backoff,
        objects: ObjectStore | None,
        *,
        actor: str | None,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(store, backoff, objects)
        self._actor = actor
        self._now = now

    def request_approval(
        self, group: str, version: str, approval_request: str, *, by: str | None = None
    ) -> ModelMetadata:
        """Record that approval was requested; `approval_request` is the hash of the request's id."""
        return self._step(group, version, Action.REQUEST_APPROVAL, self._stamp(by, ""), approval_request)

    def approve_model(
        self, group: str, version: str, *, by: str | None = None, reason: str = ""
    ) -> ModelMetadata:
        """Approve a version. It serves only after `promote_model`; approving twice changes nothing.

        Raises
        ------
        ModelNotFoundError
            If the version does not exist.
        TransitionNotAllowedError
            If its status does not allow it, for instance because its gate refused it. The same holds for
            `reject_model`, `expire`, `supersede`, `archive`, `promote_model` and `rollback`.
        """
        return self._step(group, version, Action.APPROVE, self._stamp(by, reason))

    def reject_model(
        self, group: str, version: str, *, by: str | None = None, reason: str = ""
    ) -> ModelMetadata:
        """Reject a version for good."""
        return self._step(group, version, Action.REJECT, self._stamp(by, reason))

    def expire(self, group: str, version: str, *, by: str | None = None, reason: str = "") -> ModelMetadata:
        """Record that no decision was made in time."""
        return self._step(group, version, Action.EXPIRE, self._stamp(by, reason))

    def reopen(self, group: str, version: str, *, by: str | None = None, reason: str = "") -> ModelMetadata:
        """Allow a new request for approval of an expired version."""
        return self._step(group, version, Action.REOPEN, self._stamp(by, reason))

    def supersede(
        self, group: str, version: str, *, by: str | None = None, reason: str = ""
    ) -> ModelMetadata:
        """Record that a newer candidate replaced the version before a decision was made."""
        return self._step(group, version, Action.SUPERSEDE, self._stamp(by, reason))

    def archive(self, group: str, version: str, *, by: str | None = None, reason: str = "") -> ModelMetadata:
        """Archive an approved version that never became champion; a champion can only be replaced.

        Raises
        ------
        ModelNotFoundError
            If the version does not exist.
        RegistryError
            If the version is the champion.
        TransitionNotAllowedError
            If its status does not allow this step.
        """
        if self.get_model(group, version).status is Status.CHAMPION:
            raise RegistryError(
                f"{group} {version} is the champion; promote another version or roll back instead."
            )
        return self._step(group, version, Action.ARCHIVE, self._stamp(by, reason))

    def promote_model(
        self, group: str, version: str, *, by: str | None = None, reason: str = ""
    ) -> Promotion:
        """Make an approved version the champion and archive the one before, in one step."""
        return self._promote(group, version, Action.PROMOTE, self._stamp(by, reason))

    def rollback(
        self,
        group: str,
        *,
        to: str | None = None,
        only_from: str | None = None,
        by: str | None = None,
        reason: str = "",
    ) -> Promotion:
        """Make an archived version champion again: `to`, or the one that the champion replaced.

        With `only_from`, the champion to replace, a repeated call changes nothing.

        Raises
        ------
        RegistryError
            If the champion is the group's first one.
        TransitionNotAllowedError
            If neither `only_from`, unless it is None, nor `to` is the champion.
        """
        target = to or self.predecessor(group, only_from)
        return self._promote(group, target, Action.ROLL_BACK, self._stamp(by, reason), only_from)

    def _step(
        self, group: str, version: str, action: Action, stamp: AuditStamp, approval_request: str | None = None
    ) -> ModelMetadata:
        def attempt() -> ModelMetadata:
            state, model = self._existing_state(group), self.get_model(group, version)
            is_done = model.status is TRANSITIONS[action].target
            if is_done and approval_request in (None, model.approval_request):
                return model
            with self._checked(group, state):
                change = changes.step(state, model, action, stamp, approval_request=approval_request)
            self._store.commit(change)
            return change.writes[0].model

        return self._backoff.run(attempt)

    def _promote(
        self, group: str, version: str, action: Action, stamp: AuditStamp, only_from: str | None = None
    ) -> Promotion:
        def attempt() -> Promotion:
            state, model = self._existing_state(group), self.get_model(group, version)
            if state.champion == version:
                return Promotion(model, self.promotion(group, version).previous_champion, is_new=False)
            if only_from not in (None, state.champion):
                raise TransitionNotAllowedError(
                    f"{state.champion} is the champion of {group}, not {only_from}."
                )
            champion = self.get_model(group, state.champion) if state.champion else None
            with self._checked(group, state):
                change = changes.promotion(state, model, action, stamp, champion=champion)
            self._store.commit(change)
            return Promotion(change.writes[0].model, state.champion, is_new=True)

        return self._backoff.run(attempt)

    @contextmanager
    def _checked(self, group: str, state: GroupState) -> Iterator[None]:
        """Pass a refusal on only if it was judged on the state of one moment, not of two mixed by a race."""
        try:
            yield
        except TransitionNotAllowedError as refusal:
            if self._store.group_state(group) == state:
                raise
            raise RegistryConflictError(f"{group} changed while it was read.") from refusal

    def _stamp(self, by: str | None, reason: str) -> AuditStamp:
        return AuditStamp(by or self._actor or getpass.getuser(), reason, self._now())
