"""The audit log, replayed: what the registry's state must be if the log is true."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mlops.errors import RegistryError
from mlops.models.registry import AuditEntry, Head, Labels, ModelMetadata, Status
from mlops.registry.lifecycle import Action, next_status


@dataclass(slots=True)
class ReplayedState:
    """The head of a group, and the status and the labels of each version, in order of registration."""

    head: Head = field(default_factory=Head)
    statuses: dict[str, Status] = field(default_factory=dict)
    labels: dict[str, Labels] = field(default_factory=dict)


def replay(entries: Iterable[AuditEntry]) -> ReplayedState:
    """Return the state that the entries lead to, starting from nothing.

    Raises
    ------
    RegistryError
        If an entry is missing, or says something that the lifecycle or the entries before it do not allow.
    """
    state = ReplayedState()
    for entry in entries:
        if entry.revision != state.head.revision + 1:
            raise RegistryError(f"The audit log has no entry {state.head.revision + 1}.")
        _apply(state, entry)
    return state


def check(entries: Iterable[AuditEntry], head: Head | None, models: Iterable[ModelMetadata]) -> None:
    """Refuse a log that does not lead from nothing to this state.

    Raises
    ------
    RegistryError
        If it does not; the message says where they part.
    """
    state, stored = replay(entries), list(models)
    if state.head != (head or Head()):
        raise RegistryError(f"The audit log leads to {state.head}, but the registry says {head}.")
    for model in stored:
        told = state.statuses.get(model.version), state.labels.get(model.version, Labels())
        if told != (model.status, Labels(model.tags, model.notes)):
            raise RegistryError(
                f"The audit log leaves {model.version} {told[0]}, but the registry says {model.status}, or "
                "their tags or notes differ."
            )
    if len(stored) != len(state.statuses):
        raise RegistryError(f"The audit log has {len(state.statuses)} versions, the registry {len(stored)}.")


def _apply(state: ReplayedState, entry: AuditEntry) -> None:
    for change in entry.changes:
        before = state.statuses.get(change.version)
        if before != change.before or next_status(Action(change.action), before) != change.after:
            raise RegistryError(f"Audit entry {entry.revision} does not follow from the entries before it.")
        state.statuses[change.version] = change.after
    if entry.labels is not None:
        state.labels[entry.version] = entry.labels
    champions = [version for version, status in state.statuses.items() if status is Status.CHAMPION]
    if champions != [version for version in (entry.champion,) if version is not None]:
        raise RegistryError(f"Audit entry {entry.revision} names a champion that the log does not have.")
    state.head = Head(len(state.statuses), next(reversed(state.statuses)), entry.champion, entry.revision)
