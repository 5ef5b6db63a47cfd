"""The report of a validation as one self-contained page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from mlops.dataset.form.delimiters import DELIMITERS
from mlops.dataset.privacy import shown
from mlops.models.dataset import ColumnSummary, Finding, ValidationReport
from mlops.pages.rendering import render

_VERDICTS = {
    "accept": ("Accepted", "The file can be used."),
    "warn": ("Accepted, with remarks", "The file can be used; please read the remarks."),
    "reject": ("Rejected", "The file was not used. Correct what is listed first and drop it again."),
}
_SEVERITIES = {"reject": "Must be fixed", "warn": "Remark", "info": "Note"}
_MAX_COLUMNS = 200
_LINES_IN_MESSAGES = 3


def render_report(report: ValidationReport, *, title: str) -> str:
    """Return the page: verdict, facts of the file, findings with the worst first, columns.

    Everything that comes from the file is cut; the page loads nothing and runs nothing.
    """
    heading, sentence = _VERDICTS[report.verdict]
    columns = report.columns[:_MAX_COLUMNS]
    return render(
        "validation",
        report=report,
        heading=heading,
        sentence=sentence,
        name=shown(title, 120),
        facts=tuple(_facts(report)),
        severities=_SEVERITIES,
        lines_of=_lines,
        columns=[(column, shown(column.name) or "(no name)", _values(column)) for column in columns],
    )


def _facts(report: ValidationReport) -> Iterator[tuple[str, str]]:
    yield "Rows", f"{report.n_rows:,}"
    yield "Columns", f"{report.n_columns:,}"
    yield "Size", _size(report.size_bytes)
    if report.target:
        yield "Target", shown(report.target)
    if report.format:
        yield "Encoding", report.format.encoding.upper() + (" with mark" if report.format.has_bom else "")
        yield "Delimiter", DELIMITERS.get(report.format.delimiter, repr(report.format.delimiter))
        if report.format.compression:
            yield "Compression", report.format.compression
    if report.sha256:
        yield "SHA-256", report.sha256[:8]


def _lines(finding: Finding) -> str:
    """Return the lines that the message does not name itself."""
    if finding.parts:
        pairs = zip(finding.parts, finding.lines, strict=False)
        by_part = {part: [line for _, line in lines] for part, lines in groupby(pairs, lambda pair: pair[0])}
        return "; ".join(f"{shown(part, 60)} {_numbers(lines)}" for part, lines in by_part.items())
    return _numbers(finding.lines) if len(finding.lines) > _LINES_IN_MESSAGES else ""


def _numbers(lines: tuple[int, ...] | list[int]) -> str:
    return ", ".join(map(str, lines))


def _values(column: ColumnSummary) -> str:
    if column.minimum is not None and column.maximum is not None:
        return f"{column.minimum:g} to {column.maximum:g}"
    return f"{column.n_levels:,} different" if column.n_levels else ""


def _size(size_bytes: int) -> str:
    for unit, size in (("MiB", 1024**2), ("KiB", 1024)):
        if size_bytes >= size:
            return f"{size_bytes / size:,.1f} {unit}"
    return f"{size_bytes} bytes"
