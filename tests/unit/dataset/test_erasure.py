"""Rows of a person are removed from a file in any form; all other rows stay as they are."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.dataset.erasure.records import RecordFilter
from mlops.dataset.erasure.table_file import RowSearch, local_name, remove_rows
from mlops.dataset.form.quoting import Syntax
from mlops.models.errors import DatasetError
from mlops.models.settings.group import GroupSettings

ROWS = [["id", "age", "note"], ["P1", "30", "a"], ["P2", "41", "b"], ["P1", "31", "c, d"], ["007", "9", ""]]


def a_table(rows: list[list[str]], **form: str) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n", **form).writerows(rows)  # type: ignore[arg-type]
    return stream.getvalue()


def without(
    content: bytes, folder: Path, person: str, *, name: str = "table.csv", column: str = "id", toml: str = ""
) -> tuple[int, bytes]:
    (folder / name).write_bytes(content)
    settings = GroupSettings.from_toml(toml)
    search = RowSearch(column, lambda written: written == person, settings)
    removed = remove_rows(folder / name, folder / "rest", search)
    return removed.n_rows, (folder / "rest").read_bytes()


FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "carriage returns": lambda text: text.replace("\n", "\r\n").encode(),
    "byte order mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "no last newline": lambda text: text.rstrip("\n").encode(),
    "preamble": lambda text: f"# exported today\n\n{text}".encode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_only_the_rows_of_the_person_are_removed(tmp_path: Path, form: str, delimiter: str) -> None:
    content = FORMS[form](a_table(ROWS, delimiter=delimiter))
    n_rows, rest = without(content, tmp_path, "P1")
    assert n_rows == 2
    lines = rest.decode().splitlines()
    kept = list(csv.reader(lines[-3:], delimiter=delimiter))
    assert kept == [ROWS[0], ROWS[2], ROWS[4]]
    assert ("# exported today" in lines) is (form == "preamble")


@pytest.mark.parametrize(
    "person", ["O'Neil, Ann", 'Ann "A" Lee', "first\nsecond", "Łukasz", "a;b|c", "=1+1", "  padded  ".strip()]
)
def test_a_hostile_id_is_found_and_no_other_row_is_lost(tmp_path: Path, person: str) -> None:
    rows = [
        ROWS[0],
        ["x", "1", person],
        [person, "2", "n"],
        [f"{person}0", "3", ""],
        [f" {person} ", "4", ""],
    ]
    n_rows, rest = without(a_table(rows).encode(), tmp_path, person)
    assert n_rows == 2
    assert list(csv.reader(io.StringIO(rest.decode()))) == [rows[0], rows[1], rows[3]]


def test_007_is_not_7_and_what_is_only_in_another_column_stays(tmp_path: Path) -> None:
    content = a_table([*ROWS, ["7", "007", "007"]]).encode()
    assert without(content, tmp_path, "7") == (1, a_table(ROWS).encode())
    assert without(content, tmp_path, "007")[1] == a_table([*ROWS[:4], ["7", "007", "007"]]).encode()


def test_a_compressed_file_stays_compressed_and_gives_the_same_bytes_every_time(tmp_path: Path) -> None:
    content = gzip.compress(a_table(ROWS).encode())
    first, second = (without(content, tmp_path, "P1", name="table.csv.gz") for _ in range(2))
    assert first == second
    assert gzip.decompress(first[1]) == a_table([ROWS[0], ROWS[2], ROWS[4]]).encode()


def test_records_that_validation_cannot_read_are_removed_too(tmp_path: Path) -> None:
    text = 'id,age,note\nP1,1\nP2,2,x\nP1,3,x,y\n"P1",4,"a ""b"" c"\nP3,"5\n'
    n_rows, rest = without(text.encode(), tmp_path, "P1")
    assert (n_rows, rest.decode()) == (3, 'id,age,note\nP2,2,x\nP3,"5\n')


def test_a_stray_quote_hides_no_row_of_the_person(tmp_path: Path) -> None:
    text = 'id,age,note\nP2,1,"open\nP1,2,x\nP3,3,"closed"\nP1,4,"never\nP1,5,y\n'
    _, rest = without(text.encode(), tmp_path, "P1")
    assert b"P1" not in rest
    assert rest.startswith(b'id,age,note\nP2,1,"open\n')
    # nor one that has too few fields, after a quote that is never closed
    assert without(b'id,age,note\nP2,1,"open\nP1,2\nP3,3\n', tmp_path, "P1")[1].endswith(b"open\nP3,3\n")


def test_a_quote_that_is_never_closed_hides_no_row_of_a_large_file() -> None:
    row = b"P2,1,abcdefgh\n"
    text = b'P2,1,"open\n' + b"".join(row * 30_000 + b"P1,1,x\n" for _ in range(25))
    blocks = [text[start : start + 2**20] for start in range(0, len(text), 2**20)]
    removal = RecordFilter(Syntax(","), 3, 0, lambda written: written == "P1")
    kept = b"".join(removal.kept(blocks))
    assert len(text) > 9_000_000
    assert (removal.n_removed, len(kept)) == (25, len(text) - 25 * len(b"P1,1,x\n"))


def test_the_stated_form_counts_and_a_name_may_be_spelled_as_in_other_files(tmp_path: Path) -> None:
    toml = '[format]\nheader = false\nnames = ["id", "age"]\n'
    assert without(b"1,2\n3,4\n5,6\n", tmp_path, "3", toml=toml) == (1, b"1,2\n5,6\n")
    # a file that is not written as stated is read as it looks
    assert without(b"id;age;x\n1;2;3\n3;4;5\n", tmp_path, "3", toml='[format]\ndelim = ","\n')[0] == 1


def test_quotes_after_a_backslash_hide_no_row_of_the_person(tmp_path: Path) -> None:
    content = b'note,id,age\n"a \\"b\\", P2",P1,30\n"say \\"c, d\\"",P2,31\n'
    n_rows, rest = without(content, tmp_path, "P1", toml='[format]\nescape = "\\\\"\n')
    assert n_rows == 1
    assert rest == b'note,id,age\n"say ""c, d""",P2,31\n'


def test_a_file_of_another_form_than_the_stated_one_loses_no_row_of_another_person(tmp_path: Path) -> None:
    toml = '[format]\nheader = false\nnames = ["age", "id"]\n'
    content = b"id,age,score\n7,1,0.5\n8,7,0.5\n9,9,7\n"
    assert without(content, tmp_path, "7", toml=toml) == (1, b"id,age,score\n8,7,0.5\n9,9,7\n")


def test_text_in_a_stated_encoding_is_read_and_stays_readable(tmp_path: Path) -> None:
    content = a_table([["id", "city"], ["Жанна", "Київ"], ["Іван", "Львів"]]).encode("cp1251")
    n_rows, rest = without(content, tmp_path, "Жанна", toml='[format]\nencoding = "cp1251"\n')
    assert (n_rows, rest.decode("utf-8-sig")) == (1, "id,city\nІван,Львів\n")
    assert rest.startswith(b"\xef\xbb\xbf"), "or the stated encoding would be used for what is UTF-8 now"


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"a,b\n1,2\n", "table.csv"), (b"\x89PNG\r\n\x1a\n\0\0", "table.csv"), (b"", "table.csv")],
)
def test_what_cannot_be_searched_is_named_and_never_taken_for_clean(
    tmp_path: Path, content: bytes, name: str
) -> None:
    with pytest.raises(DatasetError):
        without(content, tmp_path, "P1", name=name)


def test_another_format_is_searched(tmp_path: Path) -> None:
    content = b'{"id": "P1", "age": 1}\n{"id": "P2", "age": 2}\n'
    (tmp_path / "t.jsonl").write_bytes(content)
    search = RowSearch("id", lambda written: written == "P1", GroupSettings())
    removed = remove_rows(tmp_path / "t.jsonl", tmp_path / "rest", search)
    assert (removed.n_rows, removed.is_converted) == (1, True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Train.CSV.GZ", "table.csv.gz"),
        ("converted.csv", "converted.csv"),
        ("a" * 900 + ".xlsx", "table.xlsx"),
        ("no ending", "table"),
    ],
)
def test_a_local_copy_has_no_more_than_the_ending_of_a_name(name: str, expected: str) -> None:
    assert local_name(name) == expected


# without commas: a line inside of a cell that is a whole row of the person would be removed
CELLS = st.text(alphabet='ab"\n ', max_size=4)


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=12), cuts=st.lists(st.integers(0, 200), max_size=5))
def test_where_blocks_are_cut_changes_nothing(rows: list[tuple[str, str]], cuts: list[int]) -> None:
    text = a_table([list(row) for row in rows], quoting=csv.QUOTE_ALL).encode()  # type: ignore[arg-type]
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    blocks = [text[start:end] for start, end in itertools.pairwise(places)]
    kept = b"".join(RecordFilter(Syntax(","), 2, 0, lambda written: written == "a").kept(blocks))
    expected = [list(row) for row in rows if row[0].strip() != "a"]
    assert list(csv.reader(io.StringIO(kept.decode(), newline=""))) == expected
