"""`mlops forget GROUP ID` removes the rows of a person, `mlops forgotten GROUP` lists who was forgotten."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mlops.cli.command import add_command, columns
from mlops.context.context import Context
from mlops.infrastructure.clock import utc_now

if TYPE_CHECKING:  # pandas is slow, and only this command needs it
    from mlops.use_cases.forgetting.personal_data import Removal
    from mlops.use_cases.forgetting.tombstones import Tombstone

_MAX_LISTED = 20
_NOT_REMOVED = (
    "models that were trained on the rows, and statistics of them: row keys (keyed digests), baselines,"
    " profiles, contracts, model cards, reports; train a new version if that matters",
    "results of queries over the ledger and over features, until they are deleted after 7 days",
    "requests to the predict API that are not in the ledger yet, of the last minutes or in a dead-letter"
    " queue; when they are there: `mlops forgotten GROUP --again`",
    "emails that were sent, files that were downloaded, what `mlops train` and `mlops score` wrote",
    "names of files and folders, if they contain the id",
    "backups and point-in-time copies, until they expire; `mlops restore` removes the rows again, after any"
    " other restore `mlops forgotten GROUP --again` does",
)


def add_parser(subparsers: Any) -> None:
    """Add the two commands."""
    forget = add_command(subparsers, "forget", _forget, "group")
    forget.epilog = (
        "Nothing is changed without --yes. An id is compared as the files write it: 007 is not 7. "
        "What cannot be removed, such as a trained model, is listed."
    )
    forget.add_argument("id", help="the id of the person; - reads it from standard input")
    forget.add_argument("--column", metavar="NAME", help="the column of the id (default: the only id column)")
    forget.add_argument("--reason", default="", help="why; it is kept, and must not contain the id")
    forgotten = add_command(subparsers, "forgotten", _forgotten, "group")
    again = "remove their rows again: after a restore, or when later files contain them"
    forgotten.add_argument("--again", action="store_true", help=again)
    for parser in (forget, forgotten):
        parser.add_argument("--yes", action="store_true", help="do it; otherwise it is only shown")


def _forget(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    forgetting = context.forgetting(parsed.group)
    written_id = sys.stdin.read().removesuffix("\n") if parsed.id == "-" else parsed.id
    column = forgetting.id_column(parsed.column)
    if not parsed.yes:
        return _result(forgetting.preview(written_id, column), is_final=False)
    by, reason = context.actor, parsed.reason
    removals = forgetting.forget(written_id, column, by=by, reason=reason, now=utc_now())
    return _result(removals, is_final=True)


def _forgotten(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    forgetting = context.forgetting(parsed.group)
    if not parsed.again:
        tombstones = list(forgetting.tombstones.list(parsed.group))
        return [each.to_dict() for each in tombstones], _tombstone_table(tombstones)
    removals = forgetting.forget_again(utc_now()) if parsed.yes else forgetting.preview_again()
    return _result(removals, is_final=parsed.yes)


def _result(removals: Iterable[Removal], *, is_final: bool) -> tuple[Any, str]:
    done = list(removals)
    document = {
        "is_final": is_final,
        "removals": [removal.to_dict() for removal in done],
        "not_removed": list(_NOT_REMOVED),
    }
    return document, _describe(done, is_final=is_final)


def _describe(removals: Sequence[Removal], *, is_final: bool) -> str:
    n_rows: Counter[tuple[str, str]] = Counter()
    n_files: Counter[tuple[str, str]] = Counter()
    for removal in removals:
        n_rows[removal.store, removal.action] += removal.n_rows
        n_files[removal.store, removal.action] += 1
    rows = [
        (store, f"{action}: {n_files[store, action]:,}", f"rows: {n_rows[store, action]:,}")
        for store, action in n_files
    ]
    lines = [columns(rows) if rows else "No file contains a row with this id.", ""]
    unsearched = [removal for removal in removals if removal.action == "not searched"]
    title = "Not searched; look at these yourself, and delete those that contain the person:"
    lines += _with_problems(title, unsearched)
    deleted = [removal for removal in removals if removal.problem and removal.action == "deleted"]
    lines += _with_problems("Deleted as a whole before they were read:", deleted)
    lines += ["This command cannot remove:", *(f"- {each}" for each in _NOT_REMOVED)]
    return "\n".join(lines if is_final else [*lines, "", "Nothing was changed; add --yes to do it."])


def _with_problems(title: str, removals: Sequence[Removal]) -> list[str]:
    """Return the lines about files with a problem; nothing when there are none."""
    if not removals:
        return []
    listed = [f"- {each.uri} version {each.version_id}: {each.problem}" for each in removals[:_MAX_LISTED]]
    more = len(removals) - _MAX_LISTED
    return [title, *listed, *([f"- and {more:,} more; --json lists all"] if more > 0 else []), ""]


def _tombstone_table(tombstones: Sequence[Tombstone]) -> str:
    rows = [
        (
            f"{each.requested_at:%Y-%m-%d %H:%M}",
            each.digest[:12],
            f"by {each.requested_by}",
            "done" if each.finished_at else "not finished: mlops forgotten GROUP --again",
            each.reason or "-",
        )
        for each in sorted(tombstones, key=lambda each: each.requested_at)
    ]
    return columns(rows) if rows else "No one was forgotten."
