"""The change that each action makes: pure functions from the state before."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime

from mlops.models.registry import (
    AuditEntry,
    Candidate,
    GroupState,
    Labels,
    ModelMetadata,
    Status,
    StatusChange,
)
from mlops.registry.lifecycle import Action, next_status
from mlops.registry.store import Change, VersionWrite

_STAYING = (Action.ANSWER, Action.ANNOTATE, Action.SNOOZE, Action.ACKNOWLEDGE)


@dataclass(frozen=True, slots=True)
class AuditStamp:
    """Who does something, why, and when."""

    by: str
    reason: str
    at: datetime


def registration(
    group: str,
    candidate: Candidate,
    stamp: AuditStamp,
    *,
    state: GroupState | None,
    latest: ModelMetadata | None,
    evidence_root: str | None = None,
    job_key: str | None = None,
) -> Change:
    """Return the change that adds the candidate as the next version of the group.

    `latest` is the version that `state` names as such. A candidate that its gate refused starts, and
    stays, as rejected by it. The evidence is stored under `evidence_root`, or in the model's own local
    directory.
    """
    name = next_version(latest, candidate) if latest else FIRST_VERSION
    action = Action.REFUSE if candidate.gate and not candidate.gate.passed else Action.REGISTER
    local_evidence = None if "://" in candidate.artifact.uri else candidate.artifact.uri
    model = ModelMetadata(
        **{field.name: getattr(candidate, field.name) for field in fields(candidate)},
        model_group=group,
        version=name,
        number=(state.n_versions if state else 0) + 1,
        status=next_status(action, None),
        created_at=stamp.at,
        evidence_uri=f"{evidence_root}/{group}/{name}" if evidence_root else local_evidence,
    )
    write = VersionWrite(_stamped(model, stamp), action)
    return _change(group, state, stamp, (write,), befores=(None,), job_key=job_key)


def step(
    state: GroupState,
    model: ModelMetadata,
    action: Action,
    stamp: AuditStamp,
    *,
    approval_request: str | None = None,
) -> Change:
    """Return the change of one version's status that leaves the champion alone."""
    moved = _moved(model, action, stamp)
    if approval_request is not None:
        moved = replace(moved, approval_request=approval_request)
    return _change(model.model_group, state, stamp, (VersionWrite(moved, action),), befores=(model.status,))


def promotion(
    state: GroupState,
    model: ModelMetadata,
    action: Action,
    stamp: AuditStamp,
    *,
    champion: ModelMetadata | None,
) -> Change:
    """Return the change that makes `model` the champion and archives the one before, in one step."""
    writes = [VersionWrite(_moved(model, action, stamp), action)]
    befores: list[Status | None] = [model.status]
    if champion is not None:
        retired = replace(stamp, reason=f"{model.version} became the champion: {stamp.reason}")
        writes.append(VersionWrite(_moved(champion, Action.ARCHIVE, retired), Action.ARCHIVE))
        befores.append(champion.status)
    return _change(model.model_group, state, stamp, writes, befores=befores)


def annotation(state: GroupState, labelled: ModelMetadata, stamp: AuditStamp) -> Change:
    """Return the change that gives a version the tags and notes of `labelled`, and nothing else."""
    write = VersionWrite(labelled, Action.ANNOTATE)
    return _change(labelled.model_group, state, stamp, (write,), befores=(labelled.status,))


def snooze(state: GroupState, champion: ModelMetadata, stamp: AuditStamp) -> Change:
    """Return the change that stores until when the champion's drift is snoozed, and nothing else."""
    write = VersionWrite(champion, Action.SNOOZE)
    return _change(champion.model_group, state, stamp, (write,), befores=(champion.status,))


def acknowledgement(state: GroupState, champion: ModelMetadata, stamp: AuditStamp) -> Change:
    """Return the change that stores which drift alert of the champion was acknowledged, and nothing else."""
    write = VersionWrite(champion, Action.ACKNOWLEDGE)
    return _change(champion.model_group, state, stamp, (write,), befores=(champion.status,))


def answer(state: GroupState, model: ModelMetadata, stamp: AuditStamp) -> Change:
    """Return the change that keeps an answer in the audit log, and changes nothing else."""
    write = VersionWrite(model, Action.ANSWER)
    return _change(model.model_group, state, stamp, (write,), befores=(model.status,))


def _moved(model: ModelMetadata, action: Action, stamp: AuditStamp) -> ModelMetadata:
    return _stamped(replace(model, status=next_status(action, model.status)), stamp)


def _stamped(model: ModelMetadata, stamp: AuditStamp) -> ModelMetadata:
    return replace(
        model, status_changed_at=stamp.at, status_changed_by=stamp.by, status_reason=stamp.reason or None
    )


def _change(
    group: str,
    state: GroupState | None,
    stamp: AuditStamp,
    writes: Iterable[VersionWrite],
    *,
    befores: Iterable[Status | None],
    job_key: str | None = None,
) -> Change:
    """Assemble a change; the first write is the one that the audit entry is about."""
    writes, base = tuple(writes), state or GroupState()
    model = writes[0].model
    is_first = model.number > base.n_versions
    champion = model.version if model.status is Status.CHAMPION else base.champion
    after = GroupState(
        n_versions=model.number if is_first else base.n_versions,
        latest=model.version if is_first else base.latest,
        champion=champion,
        revision=base.revision + 1,
    )
    steps = [step for step in zip(writes, befores, strict=True) if step[0].action not in _STAYING]
    is_labelled = writes[0].action is Action.ANNOTATE or (is_first and (model.tags or model.notes))
    entry = AuditEntry(
        revision=after.revision,
        at=stamp.at,
        action=writes[0].action,
        version=model.version,
        by=stamp.by,
        reason=stamp.reason,
        changes=tuple(StatusChange(w.model.version, w.action, before, w.model.status) for w, before in steps),
        artifact=model.artifact,
        champion=champion,
        previous_champion=base.champion,
        approval_request=model.approval_request,
        labels=Labels(model.tags, model.notes) if is_labelled else None,
    )
    return Change(group, state, after, writes, entry, job_key)


FIRST_VERSION = "v1.0.0"

_VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)", re.ASCII)


def next_version(latest: ModelMetadata, candidate: Candidate) -> str:
    """Return the name of the candidate as the version after `latest`.

    Major when features or target differ, minor when the algorithm, its hyperparameters or `[monotonic]` do,
    else patch: new data. The order of the features does not matter; unknown features and an unknown target
    count as unchanged.
    """
    major, minor, patch = parse_version(latest.version)
    if _has_new_inputs(latest, candidate):
        return f"v{major + 1}.0.0"
    has_new_algorithm = latest.algorithm != candidate.algorithm
    has_new_directions = dict(latest.settings.monotonic) != dict(candidate.settings.monotonic)
    has_new_values = dict(latest.hyperparameters) != dict(candidate.hyperparameters)
    if has_new_algorithm or has_new_values or has_new_directions:
        return f"v{major}.{minor + 1}.0"
    return f"v{major}.{minor}.{patch + 1}"


def parse_version(version: str) -> tuple[int, int, int]:
    """Return the three numbers of `v1.2.3`.

    Raises
    ------
    ValueError
        If the text is not a version.
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        raise ValueError(f"{version!r} is not a version like {FIRST_VERSION}.")
    major, minor, patch = (int(part) for part in match.groups())
    return major, minor, patch


def _has_new_inputs(before: Candidate, after: Candidate) -> bool:
    has_new_features = bool(before.features and after.features) and set(before.features) != set(
        after.features
    )
    return has_new_features or (None not in (before.target, after.target) and before.target != after.target)
