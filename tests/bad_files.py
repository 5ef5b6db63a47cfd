"""Files as people drop them, each with the verdict and the reason that it must get.

All are made from one table of invented patients; `CLEAN` is its plain CSV. They are judged with the settings
`TARGET` and `ID` and the contract of the clean table. What is wrong in those of `NEED_THE_CONTRACT` only the
contract can know.
"""

from __future__ import annotations

import codecs
import gzip
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

TARGET, ID = "adherent", "patient_id"
HEADER = [ID, "age", "plan", "doses", "weight_kg", "seen_on", "ward", TARGET]
N_ROWS = 200
NEED_THE_CONTRACT = ("age-in-months.csv", "negative-counts.csv")

type Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class BadFile:
    """A file, the right verdicts, a pattern of the reason, and the number of rows if that is certain."""

    name: str
    content: bytes
    verdicts: frozenset[str]
    reason: str = ""
    n_rows: int | None = None


def patients() -> Rows:
    """Return the rows of the clean table."""
    rng = random.Random(20)
    return [
        [
            f"K{70_000 + number}",
            str(rng.randint(18, 90)),
            rng.choice(("basic", "family", "senior")),
            str(rng.randint(0, 12)),
            f"{rng.uniform(45, 110):.1f}",
            f"2025-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
            rng.choice(("east", "north", "south", "west")),
            rng.choice(("yes", "no")),
        ]
        for number in range(N_ROWS)
    ]


def text(rows: Rows, header: list[str] = HEADER, delimiter: str = ",", newline: str = "\n") -> str:
    """Return a table as text, a cell in quotes where it needs them."""
    special = (delimiter, '"', "\n", "\r")
    quoted = (
        ['"' + cell.replace('"', '""') + '"' if any(c in cell for c in special) else cell for cell in row]
        for row in (header, *rows)
    )
    return "".join(delimiter.join(row) + newline for row in quoted)


def with_cells(column: str, cell: Callable[[int, str], str]) -> Rows:
    """Return the rows with one column replaced; `cell` takes the number of the row and the old value."""
    at, rows = HEADER.index(column), patients()
    for number, row in enumerate(rows):
        row[at] = cell(number, row[at])
    return rows


def some(column: str, *values: str, every: int = 20) -> Rows:
    """Return the rows with `values`, in turn, in one of `every` cells of a column."""
    return with_cells(column, lambda n, old: old if n % every else values[n // every % len(values)])


CLEAN = text(patients()).encode()


def bad_files() -> tuple[BadFile, ...]:
    """Return all files; their names are unique."""
    return (*_bytes(), *_structure(), *_cells())


def _file(
    name: str, content: str | bytes, verdicts: str, reason: str = "", n_rows: int | None = None
) -> BadFile:
    encoded = content.encode() if isinstance(content, str) else content
    return BadFile(name, encoded, frozenset(verdicts.split()), reason, n_rows)


def _bytes() -> Iterator[BadFile]:
    """Encodings, containers and damaged bytes."""
    clean, packed = CLEAN.decode(), gzip.compress(CLEAN, mtime=0)
    accented = text(with_cells("ward", lambda n, old: ("Málaga", "Zürich", "Besançon")[n % 3]))
    yield _file("clean.csv", CLEAN, "accept", n_rows=N_ROWS)
    yield _file("utf8-bom.csv", codecs.BOM_UTF8 + CLEAN, "accept", n_rows=N_ROWS)
    yield _file("utf16-big-endian.csv", codecs.BOM_UTF16_BE + clean.encode("utf-16-be"), "warn", "utf-?16")
    yield _file("utf32.csv", codecs.BOM_UTF32_LE + clean.encode("utf-32-le"), "warn", "utf-?32")
    yield _file(
        "windows-1252.csv", accented.replace("Málaga", "O’Hare – €").encode("cp1252"), "warn", "utf-?8"
    )
    cut = accented.encode()[: accented.encode().rindex("ü".encode()) + 1]
    yield _file("cut-inside-a-character.csv", cut, "reject", "utf-?8|encoding|truncat")
    yield _file("nul.csv", CLEAN.replace(b"east", b"ea\0t", 1), "reject", "nul")
    yield _file("zero-bytes.csv", b"", "reject", "empty")
    yield _file("only-line-breaks.csv", "\n\n\n", "reject", "empty|header")
    yield _file("gzip-without-its-suffix.csv", packed, "warn", "gzip|compressed")
    yield _file("gzip.csv.gz", gzip.compress(CLEAN, mtime=1), "accept", n_rows=N_ROWS)
    yield _file("columnar.csv", b"PAR1" + bytes(range(1, 200)), "reject", "parquet")
    yield _file("gzip-cut.csv.gz", packed[: len(packed) // 2], "reject", "gzip|truncat|compressed")
    yield _file("gzip-bomb.csv.gz", gzip.compress(bytes(80 << 20), mtime=0), "reject", "large|limit|nul")
    yield _file("workbook.csv", b"PK\x03\x04" + bytes(range(1, 200)), "reject", "excel|xlsx|zip")
    yield _file(
        "error-page.csv", "<!DOCTYPE html>\n<html><body>Access denied</body></html>\n", "reject", "html"
    )
    records = json.dumps([dict(zip(HEADER, row, strict=True)) for row in patients()])
    yield _file("records.csv", records, "reject", "json")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 4096\n"
    yield _file("large-file-pointer.csv", pointer, "reject", "lfs|pointer")


def _structure() -> Iterator[BadFile]:
    """Records, delimiters and headers."""
    clean, rows = CLEAN.decode(), patients()
    lines = clean.splitlines()
    yield _file("header-only.csv", lines[0] + "\n", "reject", "row")
    yield _file("one-row.csv", "\n".join(lines[:2]) + "\n", "reject", "row")
    longer = [*lines[:60], lines[60] + ",more,cells", *lines[61:]]
    yield _file("long-record.csv", "\n".join(longer) + "\n", "reject", "61")
    yield _file("trailing-commas.csv", "".join(f"{line},\n" for line in lines), "warn", "name|header", N_ROWS)
    stray = [
        *lines[:40],
        lines[40].replace("2025", '"2025', 1),
        *lines[41:160],
        lines[160] + '"',
        *lines[161:],
    ]
    yield _file("stray-quote.csv", "\n".join(stray) + "\n", "reject", "quot")
    broken = text(some("ward", "north\r\nentrance", every=5), newline="\r\n")
    yield _file("line-breaks-in-cells.csv", broken, "accept warn", n_rows=N_ROWS)
    escaped = "".join(line.replace(",20", ',"a \\"b\\" c",20', 1) + "\n" for line in lines[1:])
    with_remark = lines[0].replace("seen_on", "remark,seen_on") + "\n" + escaped
    yield _file("backslash-quotes.csv", with_remark, "reject", "quot")
    glued = "".join(line.replace("north", '"north"x') + "\n" for line in lines)
    yield _file("text-after-a-quote.csv", glued, "reject", "quot")
    yield _file("semicolons.csv", text(rows, delimiter=";"), "warn", "semicolon|delimiter|;", N_ROWS)
    yield _file("pipes.csv", text(rows, delimiter="|"), "warn", "pipe|delimiter", N_ROWS)
    yield _file("separator-line.csv", "sep=,\n" + clean, "warn", "sep=|first line|header", N_ROWS)
    yield _file("carriage-returns.csv", text(rows, newline="\r"), "warn", "line", N_ROWS)
    yield _file("no-last-line-break.csv", clean.rstrip("\n"), "accept", n_rows=N_ROWS)
    yield _file("rows-of-commas.csv", clean + ",,,,,,,\n" * 25, "warn", "blank|empty", N_ROWS)
    yield _file("title-lines.csv", "Ward report,,,,,,,\nClinic B,,,,,,,\n" + clean, "reject", "header|column")
    twice = [*lines[:100], lines[0], *lines[100:]]
    yield _file("header-inside.csv", "\n".join(twice) + "\n", "reject", "header|repeat")
    yield _file("no-header.csv", "\n".join(lines[1:]) + "\n", "reject", "header|column|target")
    yield _file("names-equal-but-for-case.csv", clean.replace("plan", "AGE", 1), "reject", "age")
    yield _file("empty-name.csv", clean.replace("plan", "", 1), "reject", "name|header")
    reordered = text([row[::-1] for row in rows], HEADER[::-1])
    yield _file("reordered.csv", reordered, "accept", n_rows=N_ROWS)
    yield _file("no-target.csv", text([row[:-1] for row in rows], HEADER[:-1]), "reject", TARGET)
    yield _file("endless-name.csv", clean.replace("ward", "w" * 110_000, 1), "reject", "long|limit")
    yield _file("endless-cell.csv", clean.replace("north", "n" * 2_000_000, 1), "reject", "long|large|limit")
    yield _file("control-characters-in-a-name.csv", clean.replace("plan", "pl\x1b[31man\x07", 1), "reject",
                "control")  # fmt: skip


def _cells() -> Iterator[BadFile]:
    """Values: numbers, dates, missing ones, labels, ids, and what should not be in the file."""
    rows = patients()
    yield _file("grouped-thousands.csv", text(with_cells("weight_kg", lambda n, _: f"1,{n + 100:03d}.50")),
                "warn reject", "weight_kg")  # fmt: skip
    commas = text(with_cells("weight_kg", lambda _, old: old.replace(".", ",")))
    yield _file("decimal-commas.csv", commas, "warn reject", "weight_kg")
    spellings = some("weight_kg", "", "NA", "n/a", "null", "None", "nan", "-", every=5)
    yield _file("missing-in-many-words.csv", text(spellings), "warn", "missing|n/a", N_ROWS)
    yield _file("missing-as-numbers.csv", text(some("age", "-999", "999")), "warn", "age", N_ROWS)
    word = with_cells("age", lambda n, old: "fifty" if n == 150 else old)
    # the events of S3 carry this name encoded
    yield _file("a word+numbers é=1.csv", text(word), "reject", "152")
    big = text(with_cells(ID, lambda n, _: str(2**53 + n)))
    yield _file("ids-beyond-floats.csv", big, "accept", n_rows=N_ROWS)
    yield _file("dates-for-categories.csv", text(some("plan", "10-Mar", "2-Jan", every=10)), "warn",
                "plan", N_ROWS)  # fmt: skip
    yield _file("days-that-do-not-exist.csv", text(some("seen_on", "2025-02-30")), "reject", "seen_on|date")
    zones = some(
        "seen_on", "2025-10-02T10:00:00Z", "2025-04-03T10:00:00+05:30", "2025-07-01T08:00:00", every=2
    )
    yield _file("times-of-several-zones.csv", text(zones), "warn", "zone|seen_on", N_ROWS)
    spaces = text(with_cells(TARGET, lambda n, old: old + " " * (n % 2)))
    yield _file("label-with-a-space.csv", spaces, "warn", "label|target|space", N_ROWS)
    yield _file("rows-without-a-label.csv", text(some(TARGET, "", every=10)), "warn", "20", N_ROWS - 20)
    yield _file("one-row-of-a-class.csv", text(with_cells(TARGET, lambda n, _: "yes" if n == 7 else "no")),
                "reject", "class|row")  # fmt: skip
    leak = text([[*row, str(int(row[-1] == "yes"))] for row in rows], [*HEADER, "took_all"])
    yield _file("copy-of-the-target.csv", leak, "warn", "took_all", N_ROWS)
    ordered = sorted(rows, key=lambda row: row[-1])
    yield _file("sorted-by-target.csv", text(ordered), "warn", "sorted|order", N_ROWS)
    yield _file("empty-column.csv", text(with_cells("ward", lambda *_: "")), "warn", "ward", N_ROWS)
    pairs = text(with_cells(ID, lambda n, _: f"K{n // 2}"))
    yield _file("every-id-twice.csv", pairs, "warn", "duplicate|twice|patient_id", N_ROWS)
    both = [[*row[:-1], label] for row in rows[: N_ROWS // 2] for label in ("yes", "no")]
    yield _file("both-labels-for-a-row.csv", text(both), "warn", "label", N_ROWS)
    formulas = some("ward", "=1+1", "@SUM(A1)", '=HYPERLINK("http://127.0.0.1","x")', every=4)
    yield _file("formulas.csv", text(formulas), "warn", "formula", N_ROWS)
    forged = text(some("ward", "east\r\nERROR patient K1 deleted"))
    yield _file("line-for-a-log.csv", forged, "accept warn", n_rows=N_ROWS)
    scripts = text(some("ward", "😀💊", "مدينة", "京都", "𝕆slo", every=2))
    yield _file("many-scripts.csv", scripts, "accept warn", n_rows=N_ROWS)
    people = text(
        [[*row, f"9{n:02d}-12-{1000 + n}", f"user{n}@example.org"] for n, row in enumerate(rows)],
        [*HEADER, "ssn", "email"],
    )
    yield _file("direct-identifiers.csv", people, "reject", "ssn|email")
    yield _file("quoted-numbers.csv", "".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) + "\n" for line in CLEAN.decode().splitlines()
    ), "accept", n_rows=N_ROWS)  # fmt: skip
    forms = some("weight_kg", "1_000", "0x1F", "８０", "٦٠", every=4)
    yield _file("numbers-of-other-languages.csv", text(forms), "reject", "weight_kg")
    months = text(with_cells("age", lambda _, old: str(12 * int(old))))
    yield _file("age-in-months.csv", months, "reject", "age|range")
    yield _file("negative-counts.csv", text(some("doses", "-3")), "warn", "doses|range", N_ROWS)
