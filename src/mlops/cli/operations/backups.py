"""`mlops backup` and `mlops restore`: what a stack stores, to another bucket and into an empty stack."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from mlops.cli.command import add_command, columns, context_of, write_output
from mlops.cli.exit_codes import ExitCode
from mlops.context.stack import StackContext
from mlops.models.errors import SettingsError
from mlops.models.objects import ObjectRef

if TYPE_CHECKING:  # brings boto3
    from mlops.context.backups import RestoredGroup
    from mlops.use_cases.backup.storage import BackupManifest, BackupPlace


def add_parser(subparsers: Any) -> None:
    """Add the two commands."""
    backup = add_command(subparsers, "backup", _back_up)
    backup.add_argument(
        "folder", metavar="s3://BUCKET/FOLDER", help="where backups are kept, outside the stack"
    )
    restore = add_command(subparsers, "restore", _restore)
    restore.add_argument(
        "backup", metavar="s3://BUCKET/FOLDER/MOMENT", help="what `mlops backup` has printed"
    )
    restore.add_argument(
        "--yes", action="store_true", help="do it; otherwise only show what is in the backup"
    )
    restore.set_defaults(run=_run_restore)


def _back_up(parsed: argparse.Namespace, context: object) -> tuple[Any, str]:
    from mlops.context.backups import back_up_stack

    place, manifest = back_up_stack(_stack(context), _address(parsed.folder))
    return {"backup": place.uri, **manifest.to_dict()}, f"{_describe(manifest)}\n{place.uri}"


def _run_restore(parsed: argparse.Namespace) -> int:
    """Restore, and return the exit code: 1 when a group does not fit its audit log or its artifact."""
    document, text = _restore(parsed, context_of(parsed))
    write_output(parsed, document, text)
    has_problem = any(group["problem"] for group in document.get("groups", ()))
    return ExitCode.NOT_PASSED if has_problem else ExitCode.OK


def _restore(parsed: argparse.Namespace, context: object) -> tuple[dict[str, Any], str]:
    from mlops.context.backups import examine_backup, restore_stack

    stack, place = _stack(context), _place(parsed.backup)
    manifest = examine_backup(stack, place)
    document = {"backup": place.uri, "is_final": parsed.yes, **manifest.to_dict()}
    if not parsed.yes:
        text = f"{_describe(manifest)}\nNothing was changed; add --yes to restore it into {parsed.stack}."
        return document, text
    groups = restore_stack(stack, place)
    document["groups"] = [group.to_dict() for group in groups]
    return document, f"{_describe(manifest)}\n{_group_table(groups)}"


def _stack(context: object) -> StackContext:
    if not isinstance(context, StackContext):
        raise SettingsError(
            "Plain files are backed up by copying their directory; name a stack with --stack."
        )
    return context


def _address(text: str) -> ObjectRef:
    try:
        return ObjectRef.from_uri(text)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _place(text: str) -> BackupPlace:
    from mlops.use_cases.backup.storage import BackupPlace

    ref = _address(text)
    return BackupPlace(ref.bucket, f"{ref.key.rstrip('/')}/")


def _describe(manifest: BackupManifest) -> str:
    items = ", ".join(f"{n:,} in {role}" for role, n in manifest.n_items.items())
    return (
        f"State of {manifest.moment:%Y-%m-%d %H:%M:%S} UTC. Items: {items}. "
        f"Objects: {manifest.n_objects:,} with {manifest.size_bytes:,} bytes."
    )


def _group_table(groups: list[RestoredGroup]) -> str:
    rows = [
        (
            each.group,
            f"champion {each.champion or '-'}",
            f"audit entries: {each.n_audit_entries:,}",
            f"forgotten again in {each.n_removed:,} files" if each.n_removed else "",
            each.problem or "ok",
        )
        for each in groups
    ]
    return columns(rows) if rows else "No group has a version."
