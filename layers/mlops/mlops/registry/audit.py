"""The audit log, replayed: what the registry's state must be if the log is true."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mlops.errors import RegistryError
from mlops.models.registry import AuditEntry, Head, Status
from mlops.registry.lifecycle import Action, next_status


@dataclass(slots=True)
class ReplayedState:
    """The head of a group and the status of each version, in order of registration."""

    head: Head = field(default_factory=Head)
    statuses: dict[str, Status] = field(default_factory=dict)


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


def _apply(state: ReplayedState, entry: AuditEntry) -> None:
    for change in entry.changes:
        before = state.statuses.get(change.version)
        if before != change.before or next_status(Action(change.action), before) != change.after:
            raise RegistryError(f"Audit entry {entry.revision} does not follow from the entries before it.")
        state.statuses[change.version] = change.after
    champions = [version for version, status in state.statuses.items() if status is Status.CHAMPION]
    if champions != [version for version in (entry.champion,) if version is not None]:
        raise RegistryError(f"Audit entry {entry.revision} names a champion that the log does not have.")
    state.head = Head(len(state.statuses), next(reversed(state.statuses)), entry.champion, entry.revision)
