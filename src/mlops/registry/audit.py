"""The audit log: replayed to the state that it leads to, and exported."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from mlops.models.errors import RegistryError
from mlops.models.registry import AuditEntry, GroupState, Labels, ModelMetadata, Status
from mlops.pages.spreadsheet import csv_text
from mlops.registry.lifecycle import Action, next_status


@dataclass(slots=True)
class ReplayedState:
    """The state of a group, and the status and the labels of each version, in order of registration."""

    group_state: GroupState = field(default_factory=GroupState)
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
        if entry.revision != state.group_state.revision + 1:
            raise RegistryError(f"The audit log has no entry {state.group_state.revision + 1}.")
        _apply(state, entry)
    return state


def check(
    entries: Iterable[AuditEntry], group_state: GroupState | None, models: Iterable[ModelMetadata]
) -> None:
    """Refuse a log that does not lead from nothing to this state.

    Raises
    ------
    RegistryError
        If it does not; the message says where they differ.
    """
    state, stored = replay(entries), list(models)
    if state.group_state != (group_state or GroupState()):
        raise RegistryError(
            f"The audit log leads to {state.group_state}, but the registry says {group_state}."
        )
    for model in stored:
        recorded = state.statuses.get(model.version), state.labels.get(model.version, Labels())
        if recorded != (model.status, Labels(model.tags, model.notes)):
            raise RegistryError(
                f"The audit log leaves {model.version} {recorded[0]}, but the registry says {model.status}, "
                "or their tags or notes differ."
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
    state.group_state = GroupState(
        len(state.statuses), next(reversed(state.statuses)), entry.champion, entry.revision
    )


COLUMNS = (
    "revision",
    "at",
    "action",
    "version",
    "status_before",
    "status_after",
    "by",
    "reason",
    "champion",
    "previous_champion",
    "artifact_sha256",
    "artifact_uri",
    "artifact_version_id",
    "approval_request",
)


def export(entries: Sequence[AuditEntry], form: str) -> str:
    """Return the entries, oldest first, as `csv`, `jsonl` or `json`."""
    return FORMATS[form](entries)


def as_csv(entries: Sequence[AuditEntry]) -> str:
    """Return one row per status change; a cell that a spreadsheet would run as a formula is quoted.

    An entry that changes two versions (a promotion archives the champion before) has two rows with the same
    revision; one that changes none (an answer, a tag, a note) has one without statuses.
    """
    return csv_text([COLUMNS, *(row for entry in entries for row in _rows(entry))])


def as_json_lines(entries: Sequence[AuditEntry]) -> str:
    """Return one JSON document per entry and line: everything, exactly as it is kept."""
    return "".join(f"{json.dumps(entry.to_dict(), ensure_ascii=False)}\n" for entry in entries)


def as_json(entries: Sequence[AuditEntry]) -> str:
    """Return all entries as one JSON list."""
    return json.dumps([entry.to_dict() for entry in entries], indent=2, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[Sequence[AuditEntry]], str]] = MappingProxyType(
    {"csv": as_csv, "jsonl": as_json_lines, "json": as_json}
)


def _rows(entry: AuditEntry) -> Iterator[tuple[object, ...]]:
    if not entry.changes:
        yield _values(entry, entry.action, entry.version)
    for change in entry.changes:
        yield _values(entry, change.action, change.version, change.before, change.after)


def _values(
    entry: AuditEntry, action: str, version: str, before: str | None = None, after: str | None = None
) -> tuple[object, ...]:
    """Return the cells of `COLUMNS`; artifact and request are those of the version the entry is about."""
    row = (entry.revision, entry.at.isoformat(), action, version, before, after, entry.by, entry.reason)
    champions = (entry.champion, entry.previous_champion)
    if version != entry.version:
        return *row, *champions, None, None, None, None
    artifact = entry.artifact
    return *row, *champions, artifact.sha256, artifact.uri, artifact.version_id, entry.approval_request
