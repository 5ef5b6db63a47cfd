"""Good tables written in many ways and then damaged: one file for every seed, always the same one."""

from __future__ import annotations

import codecs
import gzip
import random
from collections.abc import Callable
from dataclasses import dataclass, field

ID_MARK = "zq"  # is part of every id and nowhere else, so that an id in a report is found
IRREGULAR_CELLS = (
    "", " ", "NA", "n/a", "null", "-", "?", "nan", "inf", "-inf", "1e999", "1e-400", "007", "1,5", "1.234,5",
    "1 000", "0x1F", "12%", "$5", "=1+1", "@x", "+1", "-0", "9" * 40, "1_000", "１２", "true", "TRUE",
    "2024-02-30", "01/02/2024", "2024-01-01T10:00:00Z", "\u200b", "\ufeff", "a\tb", "a\x07b", "x" * 300, '"',
    '""', "'", "a;b", "a,b", "a|b", "é", "日本", "\u2028", "a\nb", "a\r\nb", "\\N", "None", "#N/A", ".", "1.",
    ".5", "5e", "- 5", "5-",
)  # fmt: skip
BYTES = (
    b"\x00",
    b'"',
    b"\n",
    b"\r",
    b"\r\n",
    b",",
    b";",
    b"\t",
    b"\xff",
    b"\xfe",
    b"\xef\xbb\xbf",
    b"\x80",
    b"\x1a",
    b"'",
    b"\\",
)


@dataclass
class Layout:
    """How a table is written, and what was done to it."""

    delimiter: str
    newline: str
    quoting: str
    encoding: str
    has_bom: bool
    decimal: str
    compressed: bool
    changes: list[str] = field(default_factory=list)

    @property
    def only_cells_changed(self) -> bool:
        """Whether every value is still in its own column."""
        return all(change.startswith("cell") for change in self.changes)


def irregular_file(seed: int) -> tuple[bytes, Layout]:
    """Return the bytes of a file and how they came about."""
    rng = random.Random(seed)
    table, layout = _table(rng), _layout(rng)
    for _ in range(rng.choice((0, 1, 1, 2, 3, 6))):
        rng.choice(CELL_CHANGES)(table, rng, layout)
    lines = [_line(row, layout, rng) for row in table]
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        rng.choice(LINE_CHANGES)(lines, rng, layout)
    text = layout.newline.join(lines) + (layout.newline if rng.random() < 0.8 else "")
    content = _encoded(text, layout)
    for _ in range(rng.choice((0, 0, 0, 0, 1, 2, 8))):
        content = _damaged(content, rng, layout)
    if layout.compressed:
        content = gzip.compress(content, mtime=0)
        if rng.random() < 0.2:
            content = _damaged(content, rng, layout)
    return content, layout


def _table(rng: random.Random) -> list[list[str]]:
    n_rows, levels = rng.choice((55, 60, 120, 400)), ("north", "south", "east, far", "wést")
    dates = [
        f"20{rng.randint(10, 24)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}" for _ in range(n_rows)
    ]
    header = ["patient_id", "age", "dose", "region", "visited", "note", "outcome"]
    rows = [
        [
            f"{ID_MARK}{seed:05d}",
            str(rng.randint(18, 90)),
            f"{rng.gauss(10, 3):.3f}",
            rng.choice(levels),
            dates[seed],
            " ".join(rng.choices(("takes", "leaves", "asks", "écoute"), k=rng.randint(1, 4))),
            rng.choice(("yes", "no")),
        ]
        for seed in range(n_rows)
    ]
    return [header, *rows]


def _layout(rng: random.Random) -> Layout:
    delimiter = rng.choice((",", ",", ";", "\t", "|"))
    encoding = rng.choice(("utf-8", "utf-8", "utf-8", "cp1252", "latin-1", "utf-16-le", "utf-16-be"))
    return Layout(
        delimiter,
        rng.choice(("\n", "\n", "\r\n")),
        rng.choice(("minimal", "minimal", "all")),
        encoding,
        has_bom=encoding.startswith("utf-16") or rng.random() < 0.2,
        decimal="," if delimiter == ";" and rng.random() < 0.5 else ".",
        compressed=rng.random() < 0.15,
    )


def _line(row: list[str], layout: Layout, rng: random.Random) -> str:
    def written(position: int, cell: str) -> str:
        value = cell.replace(".", layout.decimal) if position == 2 else cell
        must = any(mark in value for mark in (layout.delimiter, '"', "\n", "\r"))
        is_quoted = must or layout.quoting == "all"
        return '"' + value.replace('"', '""') + '"' if is_quoted else value

    return layout.delimiter.join(written(position, cell) for position, cell in enumerate(row))


def _encoded(text: str, layout: Layout) -> bytes:
    body = text.encode(layout.encoding, errors="replace")
    marks = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    return marks.get(layout.encoding, b"") + body if layout.has_bom else body


type Change[T] = Callable[[list[T], random.Random, Layout], None]


def _irregular_cell(table: list[list[str]], rng: random.Random, layout: Layout) -> None:
    row, column = rng.randrange(1, len(table)), rng.randrange(1, len(table[0]))
    table[row][column] = rng.choice(IRREGULAR_CELLS)
    layout.changes.append(f"cell {row},{column}")


def _irregular_column(table: list[list[str]], rng: random.Random, layout: Layout) -> None:
    column, share = rng.randrange(1, len(table[0])), rng.choice((0.05, 0.5, 1.0))
    cells = rng.sample(IRREGULAR_CELLS, rng.randint(1, 4))
    for row in table[1:]:
        if rng.random() < share:
            row[column] = rng.choice(cells)
    layout.changes.append(f"cells of {column}")


def _irregular_name(table: list[list[str]], rng: random.Random, layout: Layout) -> None:
    table[0][rng.randrange(len(table[0]))] = rng.choice(
        (*IRREGULAR_CELLS, "age", "Age", "patient_id", "1", "2024")
    )
    layout.changes.append("name")


def _same_ids(table: list[list[str]], rng: random.Random, layout: Layout) -> None:
    for _ in range(rng.randint(1, 5)):
        table[rng.randrange(1, len(table))][0] = table[rng.randrange(1, len(table))][0]
    layout.changes.append("cells of ids")


def _repeat(lines: list[str], rng: random.Random, layout: Layout) -> None:
    lines.insert(rng.randrange(len(lines)), rng.choice((lines[0], rng.choice(lines))))
    layout.changes.append("line repeated")


def _drop(lines: list[str], rng: random.Random, layout: Layout) -> None:
    del lines[rng.randrange(len(lines))]
    layout.changes.append("line dropped")


def _blank(lines: list[str], rng: random.Random, layout: Layout) -> None:
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(("", " ", layout.delimiter * 6, "total")))
    layout.changes.append("line added")


def _ragged(lines: list[str], rng: random.Random, layout: Layout) -> None:
    row = rng.randrange(len(lines))
    lines[row] += rng.choice((layout.delimiter, layout.delimiter + "x"))
    layout.changes.append("line longer")


def _cut(lines: list[str], rng: random.Random, layout: Layout) -> None:
    row = rng.randrange(len(lines))
    lines[row] = lines[row][: rng.randrange(len(lines[row]) + 1)]
    layout.changes.append("line cut")


CELL_CHANGES: tuple[Change[list[str]], ...] = (
    _irregular_cell,
    _irregular_cell,
    _irregular_column,
    _irregular_name,
    _same_ids,
)
LINE_CHANGES: tuple[Change[str], ...] = (_repeat, _drop, _blank, _ragged, _cut)


def _damaged(content: bytes, rng: random.Random, layout: Layout) -> bytes:
    place, kind = rng.randrange(len(content) + 1), rng.randrange(5)
    layout.changes.append(f"bytes {kind} at {place}")
    if kind == 0:
        return content[:place] + rng.choice(BYTES) + content[place:]
    if kind == 1:
        return content[:place] + content[place + rng.choice((1, 1, 2, 50)) :]
    if kind == 2:
        return content[:place] + bytes([rng.randrange(256)]) + content[place + 1 :]
    if kind == 3:
        return content[:place]
    start = rng.randrange(len(content) + 1)
    return content[:place] + content[start : start + rng.choice((1, 20, 3000))] + content[place:]
