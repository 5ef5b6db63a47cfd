"""The audit log as a file: CSV for spreadsheets, JSON lines for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from mlops.models.registry import AuditEntry

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
# a spreadsheet runs a cell that begins so as a formula; an apostrophe in front makes it text
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def export(entries: Sequence[AuditEntry], form: str) -> str:
    """Return the entries, oldest first, as `csv`, `jsonl` or `json`."""
    return FORMATS[form](entries)


def as_csv(entries: Sequence[AuditEntry]) -> str:
    """Return one row per status change; text that a spreadsheet would run as a formula is disarmed.

    An entry that changes two versions (a promotion archives the champion before) has two rows with the same
    revision; one that changes none (an answer, a tag, a note) has one without statuses.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerows(_rows(entry))
    return stream.getvalue()


def as_json_lines(entries: Sequence[AuditEntry]) -> str:
    """Return one JSON document per entry and line: everything, exactly as it is kept."""
    return "".join(f"{json.dumps(entry.to_dict(), ensure_ascii=False)}\n" for entry in entries)


def as_json(entries: Sequence[AuditEntry]) -> str:
    """Return all entries as one JSON list."""
    return json.dumps([entry.to_dict() for entry in entries], indent=2, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[Sequence[AuditEntry]], str]] = MappingProxyType(
    {"csv": as_csv, "jsonl": as_json_lines, "json": as_json}
)


def _rows(entry: AuditEntry) -> Iterator[Iterator[str]]:
    if not entry.changes:
        yield map(_cell, _values(entry, entry.action, entry.version))
    for change in entry.changes:
        yield map(_cell, _values(entry, change.action, change.version, change.before, change.after))


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


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
