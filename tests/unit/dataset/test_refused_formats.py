"""Files of other formats that are damaged, hostile or no tables are refused with a sentence."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from backports import zstd

from mlops.dataset.limits import MIB, Limits
from mlops.dataset.validation.reading import read_table
from mlops.models.errors import DatasetError
from tests.unit.dataset.formats import (
    CSV,
    WRITERS,
    as_objects,
    check,
    empty,
    filled,
    json_lines,
    patients,
    refusal,
    write_parquet,
    write_workbook,
    write_zip,
)


def old_workbook(marked: bytes = b"") -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + marked + bytes(400)


def of_a_later_version(path: Path) -> bytes:
    """Return a zip that needs version 7.7 of the format."""
    content = bytearray(write_zip(path, {"a.csv": CSV}).read_bytes())
    content[content.find(b"PK\x01\x02") + 6] = 77
    return bytes(content)


NESTED = "SELECT *, [age] AS visits, {'a': age} AS home FROM patients"
REFUSED: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "nested.parquet": (lambda p: write_parquet(p, NESTED), "nested_columns", "visits"),
    "binary.parquet": (
        lambda p: write_parquet(p, "SELECT *, encode(zip) AS raw FROM patients"),
        "nested_columns",
        "raw",
    ),
    "cut.parquet": (lambda p: p.write_bytes(write_parquet(p).read_bytes()[:-40]), "truncated", "truncated"),
    "magic.parquet": (lambda p: p.write_bytes(b"PAR1" + os.urandom(500)), "truncated", "corrupt"),
    "names.parquet": (
        lambda p: p.write_bytes(write_parquet(p).read_bytes().replace(b"patient_id", b"patient_\xff\xfe")),
        "truncated",
        "corrupt",
    ),
    "nested.jsonl": (
        lambda p: p.write_bytes(json_lines([{"a": 1}, {"a": 1, "b": {"c": 2}}])),
        "nested_columns",
        "Column b",
    ),
    "arrays.json": (lambda p: p.write_text('[["a", "b"], [1, 2]]'), "broken_json", "not a JSON object"),
    "pretty.json": (lambda p: p.write_text('{\n "a": 1\n}\n'), "broken_json", "Line 1"),
    "twice.jsonl": (lambda p: p.write_text('{"a": 1}\n{"a": 1, "a": 2}\n'), "broken_json", "twice"),
    "deep.json": (lambda p: p.write_text("[" * 100_000), "broken_json", "Object 1"),
    "open.json": (lambda p: p.write_text('[{"a": 1}, {"a": 2}'), "broken_json", "incomplete"),
    "after.json": (lambda p: p.write_text('[{"a": 1}] {"b": 2}'), "broken_json", "after"),
    "latin.jsonl": (lambda p: p.write_bytes('{"a": "é"}\n'.encode("latin-1")), "encoding", "UTF-8"),
    "old.xls": (lambda p: p.write_bytes(old_workbook()), "wrong_container", "old Excel"),
    "secret.xlsx": (
        lambda p: p.write_bytes(old_workbook("EncryptedPackage".encode("utf-16-le"))),
        "wrong_container",
        "password",
    ),
    "a.ods": (
        lambda p: write_zip(p, {"mimetype": b"application/vnd.oasis", "content.xml": b"<a/>"}),
        "wrong_container",
        "OpenDocument",
    ),
    "a.docx": (
        lambda p: write_zip(p, {"[Content_Types].xml": b"", "word/document.xml": b"<a/>"}),
        "wrong_container",
        "Word",
    ),
    "no-cells.xlsx": (lambda p: write_workbook(p, empty), "empty_file", "no cells"),
    "broken.xlsx": (
        lambda p: write_zip(p, {"xl/workbook.xml": b"<workbook", "xl/worksheets/sheet1.xml": b"<x"}),
        "truncated",
        "corrupt",
    ),
    "empty.zip": (lambda p: write_zip(p, {"__MACOSX/._a.csv": b"x"}), "archive", "no file"),
    "two.zip": (lambda p: write_zip(p, {"a.csv": CSV, "b.csv": CSV}), "archive", "a.csv, b.csv"),
    "parent.zip": (lambda p: write_zip(p, {"../a.csv": CSV}), "archive", "unsafe"),
    "root.zip": (lambda p: write_zip(p, {"/etc/a.csv": CSV}), "archive", "unsafe"),
    "gz-inside.zip": (lambda p: write_zip(p, {"a.csv.gz": gzip.compress(CSV)}), "wrong_container", "twice"),
    "zip-inside.zip": (
        lambda p: write_zip(p, {"a.zip": write_zip(p, {"a.csv": CSV}).read_bytes()}),
        "wrong_container",
        "twice",
    ),
    "cut.zip": (lambda p: p.write_bytes(write_zip(p, {"a.csv": CSV}).read_bytes()[:-30]), "truncated", "zip"),
    "later.zip": (lambda p: p.write_bytes(of_a_later_version(p)), "truncated", "zip"),
    "cut.csv.zst": (lambda p: p.write_bytes(zstd.compress(CSV)[:-9]), "truncated", "corrupt"),
    "twice.zst": (lambda p: p.write_bytes(zstd.compress(zstd.compress(CSV))), "wrong_container", "twice"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_a_table_is_refused_with_what_to_do(name: str, tmp_path: Path) -> None:
    write, rule_id, words = REFUSED[name]
    path = tmp_path / name
    write(path)
    finding = refusal(path)
    assert finding.rule_id == rule_id
    assert words in finding.message
    assert finding.advice


def test_a_broken_line_of_json_is_named(tmp_path: Path) -> None:
    lines = json_lines().splitlines(keepends=True)
    lines[76] = lines[76][:20] + b"\n"
    (tmp_path / "a.jsonl").write_bytes(b"".join(lines))
    assert refusal(tmp_path / "a.jsonl").lines == (77,)


def test_the_line_of_a_broken_object_in_an_array_is_named(tmp_path: Path) -> None:
    text = json.dumps(as_objects(), indent=1).splitlines()
    wrong = next(n for n, line in enumerate(text) if "P0080" in line)
    text[wrong] = text[wrong].replace(":", "")
    (tmp_path / "a.json").write_text("\n".join(text))
    assert refusal(tmp_path / "a.json").lines == (wrong + 1,)


def test_a_zip_with_a_password_is_refused(tmp_path: Path) -> None:
    content = bytearray(write_zip(tmp_path / "a.zip", {"a.csv": CSV}).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(mark) + offset] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    assert "password" in refusal(tmp_path / "a.zip").message


def test_overlapping_entries_of_a_zip_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.csv": CSV, "README.txt": CSV})
    content = bytearray(path.read_bytes())
    second = content.rfind(b"PK\x01\x02")
    content[second + 42 : second + 46] = bytes(4)  # both entries now begin at the same place
    path.write_bytes(content)
    assert "overlap" in refusal(path).message


@pytest.mark.parametrize("name", ["bomb.zip", "bomb.csv.zst", "bomb.xlsx", "bomb.jsonl.gz"])
def test_a_bomb_is_refused_before_it_expands(name: str, tmp_path: Path) -> None:
    zeros, path = b" " * (80 * MIB), tmp_path / name
    match path.suffix:
        case ".zip":
            write_zip(path, {"a.csv": zeros})
        case ".zst":
            path.write_bytes(zstd.compress(zeros))
        case ".gz":
            path.write_bytes(gzip.compress(b'{"a": 1}\n' + zeros))
        case _:
            write_workbook(path, filled(patients()))
            with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("xl/worksheets/sheet9.xml", zeros)
    finding = refusal(path)
    assert finding.rule_id == "too_large"
    assert "100 times" in finding.message


def test_a_bomb_of_parquet_is_refused_by_its_metadata(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", "SELECT 1 AS a, 'x' AS b FROM range(20_000_000)")
    assert refusal(path).rule_id == "too_large"


def test_a_table_that_is_too_large_as_csv_is_refused(tmp_path: Path) -> None:
    limits = replace(Limits(), max_expanded_bytes=2_000)
    for name in ("patients.parquet", "patients.jsonl", "patients.xlsx", "patients.zip"):
        WRITERS[name](tmp_path / name)
        assert refusal(tmp_path / name, limits=limits).rule_id == "too_large"


@pytest.mark.parametrize("name", ["patients.csv", "patients.txt"])
def test_another_format_under_the_name_of_text_is_a_mistake(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(json_lines())
    finding = refusal(tmp_path / name)
    assert finding.rule_id == "wrong_container"
    assert ".json" in str(finding.advice)


def test_reading_a_file_that_is_refused_raises_its_sentence(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.csv": CSV, "b.csv": CSV})
    with pytest.raises(DatasetError, match="one table"):
        read_table(path)


def test_a_directory_of_its_own_is_all_that_a_conversion_writes_to(tmp_path: Path) -> None:
    folder = tmp_path / "it's [a] folder*"
    folder.mkdir()
    path = write_parquet(tmp_path / "a.parquet").rename(folder / "what?.parquet")
    assert check(path).verdict == "accept"
    assert [entry.name for entry in folder.iterdir()] == ["what?.parquet"]
