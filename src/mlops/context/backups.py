"""Backups of a stack; after a restore the registry is checked, and persons are forgotten again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.models.errors import MlopsError
from mlops.models.record import Record
from mlops.registry.promotion import check_artifact
from mlops.use_cases.backup.backup import back_up
from mlops.use_cases.backup.restore import check_empty, complete, forgotten_groups, read_manifest, restore
from mlops.use_cases.backup.storage import StackStorage

if TYPE_CHECKING:
    from mlops.context.stack import StackContext
    from mlops.models.objects import ObjectRef
    from mlops.use_cases.backup.storage import BackupManifest, BackupPlace
    from mlops.use_cases.forgetting.personal_data import Removal

_TABLES = {
    "registry": "REGISTRY_TABLE_NAME",
    "approvals": "APPROVAL_TABLE_NAME",
    "policies": "POLICY_TABLE_NAME",
    "features": "FEATURE_TABLE_NAME",
}


@dataclass(frozen=True, slots=True)
class RestoredGroup(Record):
    """A group after a restore; `problem` says what does not fit, and is empty when everything does.

    Its audit log leads to the state of the registry, and the bytes of its champion are those that were
    registered. `n_removed` counts the files from which rows of forgotten persons were removed again; a file
    that cannot be searched for them is a problem.
    """

    group: str
    champion: str | None
    n_audit_entries: int
    n_removed: int = 0
    problem: str = ""


def storage_of(context: StackContext) -> StackStorage:
    """Return what a stack stores. The ARNs are those of executions, which records name."""
    machine = context.variable("TRAIN_MODEL_STATE_MACHINE_ARN")
    return StackStorage(
        context.objects,
        {role: DynamoDBTable(context.variable(name)) for role, name in _TABLES.items()},
        {"artifacts": context.artifact_bucket, "data": context.data_bucket},
        {"trainings": machine.replace(":stateMachine:", ":execution:"), "train_model": machine},
    )


def back_up_stack(context: StackContext, folder: ObjectRef) -> tuple[BackupPlace, BackupManifest]:
    """Store a backup of a stack below a folder of another bucket.

    Raises
    ------
    BackupError
        If the folder is in a bucket of the stack, or the tables change all the time.
    """
    return back_up(storage_of(context), folder, context.now)


def examine_backup(context: StackContext, place: BackupPlace) -> BackupManifest:
    """Return what a backup contains that may be restored into a stack.

    Raises
    ------
    BackupError
        If the stack is not empty, or the backup is not complete.
    """
    storage = storage_of(context)
    manifest = read_manifest(place, storage)
    check_empty(place, storage)
    return manifest


def restore_stack(context: StackContext, place: BackupPlace) -> list[RestoredGroup]:
    """Restore a backup into an empty stack, and forget again those who were forgotten; return the groups.

    Raises
    ------
    BackupError
        If the stack is not empty, or the backup is not complete.
    """
    storage = storage_of(context)
    restore(place, storage)
    removals = {
        group: list(context.forgetting(group).forget_again(context.now()))
        for group in forgotten_groups(storage)
    }
    complete(place, storage)
    groups = sorted({*context.registry.groups(), *removals})
    return [_checked(context, group, removals.get(group, ())) for group in groups]


def _checked(context: StackContext, group: str, removals: Sequence[Removal]) -> RestoredGroup:
    registry, problems = context.registry, []
    champion, entries = registry.champion(group), registry.audit(group)
    try:
        registry.check_audit(group)
        if champion is not None:
            check_artifact(champion, context.objects)
    except MlopsError as error:
        problems.append(str(error))
    if n_unsearched := sum(removal.action == "not searched" for removal in removals):
        problems.append(
            f"Not searched for forgotten persons: {n_unsearched:,} versions of files; "
            f"`mlops forgotten {group} --again` names them."
        )
    version = None if champion is None else champion.version
    n_removed = sum(removal.n_rows > 0 for removal in removals)
    return RestoredGroup(group, version, len(entries), n_removed, " ".join(problems))
