"""What is wrong with the records of a file, apart from their values."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlops.dataset.table.occurrences import Occurrences


@dataclass(slots=True)
class Shape:
    """What is wrong with the records of a file, apart from their values.

    `comments` were left out; `like_comments` are those of the ragged records that begin with `#`.
    `has_quoted_fields` says that quotes enclose a field of a single line, `has_stray_quote` that the records
    which a quote joins are whole when quotes are ordinary characters. `escaped_quotes` are the records with
    bad quotes in which a backslash is before a quote.
    """

    n_records: int = 0
    ragged: Occurrences = field(default_factory=Occurrences)
    blank: Occurrences = field(default_factory=Occurrences)
    repeated_headers: Occurrences = field(default_factory=Occurrences)
    footers: Occurrences = field(default_factory=Occurrences)
    bad_quotes: Occurrences = field(default_factory=Occurrences)
    swallowed: Occurrences = field(default_factory=Occurrences)
    long_fields: Occurrences = field(default_factory=Occurrences)
    literal_quotes: Occurrences = field(default_factory=Occurrences)
    comments: Occurrences = field(default_factory=Occurrences)
    like_comments: Occurrences = field(default_factory=Occurrences)
    unclosed_quote_line: int | None = None
    has_quoted_fields: bool = False
    has_stray_quote: bool = False
    escaped_quotes: Occurrences = field(default_factory=Occurrences)
