"""Tables that are written otherwise, badly, or not at all: read whole, or named as what they are."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from tests.unit.dataset.patients import Row, a_csv, cell, judge, patients


def _zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return stream.getvalue()


NO_TABLES = {
    "Excel": (_zipped(), "Excel"),
    "Parquet": (b"PAR1" + bytes(100), "Parquet"),
    "HTML": (b"<!DOCTYPE html><html>403</html>", "HTML"),
    "JSON": (b'[{"age": 3}]', "JSON"),
    "LFS pointer": (b"version https://git-lfs.github.com/spec/v1\n", "LFS"),
    "a saved page": (b"<!-- saved from -->\n<html><body></body></html>", "HTML"),
    "a warning of a web server": (b"<br />\n<b>Warning</b>: no host\n", "HTML"),
    "gzip in gzip": (gzip.compress(gzip.compress(a_csv().encode())), "gzip"),
    "totals with dashes": (a_csv().encode() + b"TOTAL,9000,-,-,-,-\n", "footer"),
    "an SQL script": (b"-- dump\nINSERT INTO visits VALUES\n(1,2),\n", "SQL"),
    "Weka": (b"% by hand\n@relation visits\n@attribute age numeric\n", "ARFF"),
    "MATLAB": (b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(100), "MATLAB"),
    "SAS": (bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011") + bytes(99), "SAS"),
    "Stata": (b"<stata_dta><header>" + bytes(100), "Stata"),
    "contacts": (b"BEGIN:VCARD\nVERSION:3.0\n", "vCard"),
    "mainframe text": (a_csv().replace("\n", "\x85").encode("cp500"), "EBCDIC"),
    "columns of fixed width": (a_csv().replace(",", "      ").encode(), "fixed width"),
    "spaces": (a_csv(delimiter=" ").encode(), "single spaces"),
    "full-width commas": (a_csv(delimiter="，").encode(), "full-width commas"),
    "lines in quotes": ("".join(f'"{line}"\n' for line in a_csv().split()).encode(), "quoted as a whole"),
    "single quotes": (
        a_csv(delimiter="','").replace("\n", "'\n'").encode().join((b"'", b"'")),
        "single quotes",
    ),
    "nothing": (b"", "empty"),
    "blank lines": (b"\n\n\n", "empty"),
    "NUL bytes": (a_csv().encode().replace(b"gold", b"g\0ld", 1), "NUL"),
    "cut gzip": (gzip.compress(a_csv().encode())[:-20], "gzip"),
    "gzip bomb": (gzip.compress(bytes(60_000_000).replace(b"\0", b"a")), "too large"),
    "cut in a character": ("age,city\n1,Zürich\n2,Z".encode() + b"\xc3", "truncated"),
    "two encodings": ("age,city\n1,Zürich\n".encode() + "2,Genève\n".encode("cp1252"), "UTF-8"),
}


@pytest.mark.parametrize("case", NO_TABLES)
def test_what_is_not_a_table_is_named_as_what_it_is(tmp_path: Path, case: str) -> None:
    content, word = NO_TABLES[case]
    report = judge(tmp_path, content)
    assert report.verdict == "reject"
    assert any(word in finding.message for finding in report.of_severity("reject"))


WRITTEN_OTHERWISE = {
    "utf-8 with mark": (a_csv().encode("utf-8-sig"), "file.csv", "accept"),
    "utf-16": (a_csv().encode("utf-16"), "file.csv", "warn"),
    "utf-16 without mark": (a_csv().encode("utf-16-le"), "file.csv", "warn"),
    "windows-1252": (a_csv(cell("plan", "Genève", 3)).encode("cp1252"), "file.csv", "warn"),
    "semicolons": (a_csv(delimiter=";").encode(), "file.csv", "warn"),
    "tabs": (a_csv(delimiter="\t").encode(), "file.csv", "warn"),
    "carriage returns": (a_csv(end="\r").encode(), "file.csv", "warn"),
    "crlf": (a_csv(end="\r\n").encode(), "file.csv", "accept"),
    "gzip": (gzip.compress(a_csv().encode()), "file.csv.gz", "accept"),
    "text under the name of gzip": (a_csv().encode(), "file.csv.gz", "warn"),
    "gzip under another name": (gzip.compress(a_csv().encode()), "file.csv", "warn"),
    "sep line": (("sep=,\n" + a_csv()).encode(), "file.csv", "warn"),
    "quoted line breaks": (a_csv(cell("plan", '"gold\r\nplus"', 3)).encode(), "file.csv", "accept"),
    "comments above the header": (b"# by hand\n# in May\n" + a_csv().encode(), "file.csv", "warn"),
    "no final newline": (a_csv().rstrip("\n").encode(), "file.csv", "accept"),
}


@pytest.mark.parametrize("case", WRITTEN_OTHERWISE)
def test_a_table_written_in_another_way_is_read_whole_and_the_way_is_reported(
    tmp_path: Path, case: str
) -> None:
    content, name, verdict = WRITTEN_OTHERWISE[case]
    report = judge(tmp_path, content, name)
    assert (report.verdict, report.n_rows, report.n_columns) == (verdict, 120, 6)


def test_lines_after_a_quoted_line_break_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    table = patients()
    table[2]["plan"] = '"gold\nplus"'
    table[10]["age"] = "forty"
    report = judge(tmp_path, a_csv(lambda rows: rows.__setitem__(slice(None), table)))
    assert report.findings[0].lines == (13,)


def test_a_stray_quote_that_swallows_records_is_refused(tmp_path: Path) -> None:
    text = a_csv(lambda table: (table[10].update(plan='"gold'), table[90].update(plan='gold"'))[0])
    assert "unclosed_quote" in [finding.rule_id for finding in judge(tmp_path, text).of_severity("reject")]


def test_a_quote_that_never_closes_is_refused(tmp_path: Path) -> None:
    text = a_csv(cell("plan", '"gold', 10))
    report = judge(tmp_path, text)
    assert [(f.rule_id, f.lines) for f in report.findings if f.rule_id == "unclosed_quote"] == [
        ("unclosed_quote", (12,))
    ]


def test_ghost_rows_of_a_spreadsheet_are_left_out_and_counted(tmp_path: Path) -> None:
    report = judge(tmp_path, a_csv() + ",,,,,\n" * 30)
    assert (report.verdict, report.n_rows) == ("warn", 120)
    assert [finding.count for finding in report.findings] == [30]


@pytest.mark.parametrize(
    "drawn",
    ["| a | b |\n|---|---|\n| 1 | 2 |\n", "a | b\n---|:---:|\n1 | 2\n", " a | b\n----+----\n 1 | 2\n"],
)
def test_a_table_drawn_with_dashes_is_named_as_such(tmp_path: Path, drawn: str) -> None:
    (finding,) = judge(tmp_path, drawn).of_severity("reject")
    assert finding.rule_id == "wrong_container"
    assert "Markdown" in finding.message


def test_a_cell_with_a_query_makes_no_script(tmp_path: Path) -> None:
    report = judge(tmp_path, a_csv(cell("plan", '"as\nINSERT INTO plans"', 3)))
    assert report.verdict != "reject"


def test_digits_with_leading_zeros_stay_text_and_are_reported(tmp_path: Path) -> None:
    def coded(table: list[Row]) -> None:
        for i, row in enumerate(table):
            row["plan"] = f"{i % 9:03d}"

    report = judge(tmp_path, a_csv(coded))
    assert report.verdict == "accept"
    assert [finding.rule_id for finding in report.findings] == ["codes"]


def test_names_in_two_normal_forms_are_the_same_name(tmp_path: Path) -> None:
    text = a_csv().replace("plan", "caf\u00e9").replace("copay_usd", "cafe\u0301")
    assert "duplicate_columns" in [finding.rule_id for finding in judge(tmp_path, text).of_severity("reject")]


HOSTILE_HEADERS = {
    "one name all over": "a," * 100_000,
    "pairs of names": ",".join(f"c{i // 2}" for i in range(20_000)),
    "control characters": ",".join(f"c{i}\x01" for i in range(20_000)),
    "endless names": ",".join(f"c{i}" + "x" * 500 for i in range(3_000)),
    "one endless name": "a" * 1_500_000,
    "an endless quote": '"' + "a,b\n" * 300_000,
}


@pytest.mark.parametrize("case", HOSTILE_HEADERS)
def test_a_hostile_header_makes_no_endless_report(tmp_path: Path, case: str) -> None:
    report = judge(tmp_path, HOSTILE_HEADERS[case] + "\n" + "1\n" * 60)
    assert report.verdict == "reject"
    assert len(report.to_json()) < 2_000_000
    assert max(len(finding.message) for finding in report.findings) < 500


def test_dashes_for_missing_make_no_drawing(tmp_path: Path) -> None:
    lines = a_csv().splitlines()
    lines[1] = ",".join(["P0", *["---"] * lines[0].count(",")])
    rules = {finding.rule_id for finding in judge(tmp_path, "\n".join(lines).replace(",", "|")).findings}
    assert "wrong_container" not in rules


def test_ids_beyond_two_to_the_53_do_not_collide(tmp_path: Path) -> None:
    text = a_csv(
        lambda table: [row.update(patient_id=str(2**53 + i)) for i, row in enumerate(table)] and None
    )
    assert judge(tmp_path, text).findings == ()


@pytest.mark.parametrize("n_rows", [30_000])
def test_a_bad_cell_far_down_a_long_file_is_found_with_its_line(tmp_path: Path, n_rows: int) -> None:
    report = judge(tmp_path, a_csv(cell("age", "forty", n_rows - 2), rows=n_rows))
    assert [(f.rule_id, f.lines) for f in report.of_severity("reject")] == [("type_mismatch", (n_rows,))]
    assert report.n_rows == n_rows
