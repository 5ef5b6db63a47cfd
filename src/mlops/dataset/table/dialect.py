"""How a text table is written: delimiter, lines above the header, the header, decimal mark."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass

DELIMITERS = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "pipe",
    "^": "caret",
    ":": "colon",
    "~": "tilde",
}
_COMMON = (",", ";", "\t", "|")
_SEP_LINE = re.compile(rb'"?sep=(.)"?\r?', re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+")
_SAMPLE_RECORDS = 200


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to read the table.

    `header_line` is the 1-based line of the header; `skipped_bytes` lie before the first data record.
    `sep_line` is Excel's hint `sep=;`. `delimiter_votes` says how sure the choice was.
    """

    delimiter: str
    names: tuple[str, ...]
    header_line: int
    skipped_bytes: int
    n_skipped_lines: int
    has_sep_line: bool
    decimal: str
    has_bad_header_quotes: bool = False


def detect(head: bytes, *, delimiter: str | None = None, decimal: str | None = None) -> Dialect | None:
    """Read the dialect off the beginning of the text (UTF-8); None when it holds nothing but blank lines.

    A `delimiter` or `decimal` that is known already is not guessed.
    """
    offset, line, has_sep_line, named = _skip_to_header(head)
    if offset >= len(head):
        return None
    sample = head[offset:].decode("utf-8", "ignore")
    delimiter = delimiter or named or _vote(sample)
    end, n_lines = _end_of_record(head, offset)
    header = head[offset:end].decode("utf-8", "ignore")
    names, is_well_quoted = _names(header, delimiter)
    return Dialect(
        delimiter=delimiter,
        names=tuple(names),
        header_line=line,
        skipped_bytes=end,
        n_skipped_lines=line - 1 + n_lines,
        has_sep_line=has_sep_line,
        decimal=decimal or _decimal(sample, delimiter),
        has_bad_header_quotes=not is_well_quoted,
    )


def _names(header: str, delimiter: str) -> tuple[list[str], bool]:
    """Return the column names, and whether their quotes make sense."""
    line = header.rstrip("\r\n")
    try:
        names = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return line.split(delimiter), False
    return names, True


def records(text: str, delimiter: str, limit: int = _SAMPLE_RECORDS) -> list[list[str]]:
    """Return the first records of a text, read leniently."""
    cut: list[list[str]] = []
    try:
        for record in csv.reader(text.splitlines(keepends=True), delimiter=delimiter):
            if record:
                cut.append(record)
            if len(cut) >= limit:
                break
    except csv.Error:  # a field longer than the reader takes: what was read before is enough to vote
        pass
    return cut


def _skip_to_header(head: bytes) -> tuple[int, int, bool, str | None]:
    """Pass blank lines and a `sep=` line; return offset, line number, whether and what `sep=` named."""
    offset, line, has_sep_line, named = 0, 1, False, None
    while offset < len(head):
        end = head.find(b"\n", offset)
        end = len(head) if end < 0 else end
        content = head[offset:end]
        hint = _SEP_LINE.fullmatch(content) if not has_sep_line else None
        if hint:
            has_sep_line, named = True, hint[1].decode("ascii", "replace")
        elif content.strip():
            break
        offset, line = end + 1, line + 1
    return offset, line, has_sep_line, named


def _vote(sample: str) -> str:
    """Choose the delimiter that splits most records into the same number of fields, more than one.

    A tie goes to the more common delimiter; a comma is assumed for a file of one column.
    """
    lines = len(sample.splitlines()) > 1
    complete = sample if len(sample) < 65_536 or not lines else sample[: sample.rfind("\n") + 1]
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        candidates = records(complete, delimiter)
        counts = Counter(len(record) for record in candidates)
        if not counts:
            continue
        width, n_agreeing = counts.most_common(1)[0]
        if width < 2 or len(candidates[0]) < 2:
            continue
        agreement = n_agreeing / len(candidates)
        score = agreement**2 * (1.0 if delimiter in _COMMON else 0.5) * min(len(candidates[0]), width) ** 0.5
        if score > best_score * 1.0001:
            best, best_score = delimiter, score
    return best


def _end_of_record(head: bytes, offset: int) -> tuple[int, int]:
    """Return where the record that begins at `offset` ends, and over how many lines it goes."""
    position, n_lines, n_quotes = offset, 0, 0
    while position < len(head):
        end = head.find(b"\n", position)
        n_lines += 1
        if end < 0:
            return len(head), n_lines
        n_quotes += head.count(b'"', position, end)
        position = end + 1
        if n_quotes % 2 == 0:
            return position, n_lines
    first = head.find(b"\n", offset)
    return (len(head) if first < 0 else first + 1), 1


def _decimal(sample: str, delimiter: str) -> str:
    """A comma is the decimal mark when cells look like `1,5`, none like `1.5`, and is not the delimiter."""
    if delimiter == ",":
        return "."
    cells = [cell.strip() for record in records(sample, delimiter)[1:] for cell in record]
    n_commas = sum(bool(_DECIMAL_COMMA.fullmatch(cell)) for cell in cells)
    n_points = sum(bool(_DECIMAL_POINT.fullmatch(cell)) for cell in cells)
    return "," if n_commas and not n_points else "."
