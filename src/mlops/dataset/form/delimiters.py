"""Which character separates the cells of a table."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator

DELIMITERS = {  # with the names that people see
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "pipe",
    "^": "caret",
    ":": "colon",
    "~": "tilde",
}
_COMMON = (",", ";", "\t", "|")
_SAMPLE_RECORDS = 200
_SURE = 0.8  # of the records of a table whose first line is not cut by the delimiter


def read_csv(lines: Iterable[str], delimiter: str, quote: str) -> Iterator[list[str]]:
    """Cut lines into records; an empty `quote` says that quotes are ordinary characters."""
    if quote:
        return csv.reader(lines, delimiter=delimiter, quotechar=quote)
    return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)


def vote(sample: str, quote: str) -> str:
    """Choose the delimiter that splits most records into the same number of fields, more than one.

    A tie goes to the more common delimiter; a comma is assumed for a file of one column. A delimiter that is
    not in the first line counts only if no other one is: that line is then above the table.
    """
    lines = len(sample.splitlines()) > 1
    complete = sample if len(sample) < 65_536 or not lines else sample[: sample.rfind("\n") + 1]
    best, best_score = ",", 0.0
    below, below_score = None, 0.0
    for delimiter in DELIMITERS:
        candidates = _lenient_records(complete, delimiter, quote)
        counts = Counter(len(record) for record in candidates)
        if not counts:
            continue
        width, n_agreeing = counts.most_common(1)[0]
        if width < 2:
            continue
        agreement = n_agreeing / len(candidates)
        score = agreement**2 * (1.0 if delimiter in _COMMON else 0.5)
        if len(candidates[0]) >= 2:
            score *= min(len(candidates[0]), width) ** 0.5
            if score > best_score * 1.0001:
                best, best_score = delimiter, score
        elif width >= 3 and agreement >= _SURE and score * width**0.5 > below_score:
            below, below_score = delimiter, score * width**0.5
    return best if best_score or below is None else below


def _lenient_records(text: str, delimiter: str, quote: str, limit: int = _SAMPLE_RECORDS) -> list[list[str]]:
    cut: list[list[str]] = []
    try:
        for record in read_csv(text.splitlines(keepends=True), delimiter, quote):
            if record:
                cut.append(record)
            if len(cut) >= limit:
                break
    except csv.Error:  # a field longer than the reader takes: what was read before is enough to vote
        pass
    return cut
