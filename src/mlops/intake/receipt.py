"""The receipt for a training file: what was assumed, what happens next, and how to change it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from mlops.dataset.privacy import shown
from mlops.infrastructure.upload_events import Upload
from mlops.intake.emails import bullets, name_of, path_of
from mlops.models.dataset import ColumnSummary, ValidationReport
from mlops.models.settings.group import GroupSettings

_MAX_NAMES = 8
_MAX_TOKENS = 5
_KINDS = {
    "integer": "",
    "number": "",
    "category": "",
    "text": "",
    "date": " (not learned from, unless date_parts names parts of them)",
}
_NEXT = (
    "What happens next:",
    "The training has started. When it ends, the new model is compared with the one in service, and the",
    "approvers get an email with a link; when it fails, an email says why. It is stopped at the latest when",
    "the time limit of the stack (TrainingTimeoutSeconds) is over.",
)


def compose_receipt(upload: Upload, report: ValidationReport, settings: GroupSettings) -> tuple[str, str]:
    """Return subject and body of the email about an accepted training file; it has no cell values."""
    size = f"{report.n_rows:,} rows, {report.n_columns:,} columns"
    lines = [f"{shown(path_of(upload), 200)} was accepted: {size}."]
    warnings = report.of_severity("warn")
    if warnings:
        lines += ["", "Please read:", *bullets(warnings)]
    lines += ["", "What was assumed:", *(f"- {fact}" for fact in _facts(report, settings))]
    lines += ["", *_NEXT, "", *_changes(upload, report, settings)]
    lines += ["", f"Upload {upload.upload_id}"]
    subject = f"[{upload.group}] {shown(name_of(upload), 60)} was accepted, training started"
    return subject, "\n".join(lines) + "\n"


def _facts(report: ValidationReport, settings: GroupSettings) -> Iterator[str]:
    """Yield what the training takes for granted, each in one line."""
    source = "stated in model.toml" if settings.target else "by its name or its place"
    yield f"target: {shown(str(report.target), 60)}, {report.task} ({source})"
    yield f"ids: {_names(_of(report, role='id')) or 'none'}"
    for kind, remark in _KINDS.items():
        columns = _of(report, role="feature", kind=kind)
        if columns:
            yield f"{kind}: {_names(columns)}{remark}"
    left_out = [*_of(report, role="excluded"), *_of(report, role="feature", kind="empty")]
    if left_out:
        yield f"left out: {_names(left_out)}"
    missing = [
        f"{shown(column.name)} ({_tokens(column)})" for column in report.columns if column.missing_tokens
    ]
    if missing:
        yield f"read as missing: {_listed(missing)}"


def _of(report: ValidationReport, *, role: str, kind: str | None = None) -> list[ColumnSummary]:
    return [c for c in report.columns if c.role == role and kind in (None, c.kind)]


def _names(columns: Sequence[ColumnSummary]) -> str:
    return _listed([shown(column.name) for column in columns])


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _MAX_NAMES:,} more" if len(texts) > _MAX_NAMES else ""
    return ", ".join(texts[:_MAX_NAMES]) + more


def _tokens(column: ColumnSummary) -> str:
    tokens = sorted(column.missing_tokens, key=lambda token: -column.missing_tokens[token])
    return ", ".join(shown(token, 20) for token in tokens[:_MAX_TOKENS])


def _changes(upload: Upload, report: ValidationReport, settings: GroupSettings) -> Iterator[str]:
    """Yield the lines of `model.toml` that state the assumptions, to be changed where they are wrong."""
    ids = [_quoted(column.name) for column in _of(report, role="id")]
    features = _of(report, role="feature")
    example = next((c for kind in ("integer", "number", "text") for c in features if c.kind == kind), None)
    yield f"To change it, put what is wrong into {upload.group}/model.toml, and drop the file again:"
    if not settings.target:
        yield f"  target = {_quoted(str(report.target))}"
    if not settings.id_columns and len(ids) <= _MAX_NAMES:
        yield f"  id_columns = [{', '.join(ids)}]"
    yield "  exclude_columns = []  # columns that are known only after the event"
    if example is not None:
        yield f"  [columns.{_quoted(example.name)}]"
        yield '  kind = "category"  # for digits that are codes'


def _quoted(name: str) -> str:
    """Write a name as TOML does."""
    return json.dumps(name, ensure_ascii=False)
