"""The table port: over a SQLite file, over DynamoDB, and the one in memory that tests use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import mlops
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.sqlite_table import SqliteTable
from mlops.infrastructure.table import (
    MAX_KEYS,
    PLAIN_LIMIT_BYTES,
    Absent,
    Delete,
    Index,
    NewerOutcome,
    NewerValues,
    OneOf,
    Put,
    SetAttribute,
    Table,
    document_attributes,
    document_of,
)
from tests.conftest import create_table
from tests.memory_table import MemoryTable

INDEX = Index("OpenIndex", "open_kind")


@pytest.fixture(params=["memory", "sqlite", "dynamodb"])
def table(request, tmp_path) -> Table:
    if request.param == "memory":
        return MemoryTable()
    if request.param == "sqlite":
        return SqliteTable(tmp_path / "new" / "table.sqlite3")
    for fixture in ("aws", "atomic_dynamodb"):
        request.getfixturevalue(fixture)
    return DynamoDBTable(create_table("table", "pk", "sk", index=(INDEX.name, INDEX.attribute)))


def an_item(sort: str = "1", **attributes) -> dict:
    return {"pk": "p", "sk": sort, **attributes}


def keys(items) -> list[str]:
    return [item["sk"] for item in items]


def test_an_item_is_read_back_equal_to_the_last_type(table):
    item = an_item(
        "é", text="ü\n", whole=3, share=0.1, yes=True, nothing=None, raw=b"\0\xff", nested={"a": [1, "b"]}
    )
    assert table.write(Put(item))
    stored = dict(table.get("p", "é"))
    assert bytes(stored.pop("raw")) == item.pop("raw")
    assert stored == item
    assert {name: type(value) for name, value in stored.items()} == {n: type(v) for n, v in item.items()}


def test_what_was_never_written_is_none_or_empty(table):
    assert table.get("p", "1") is None
    assert list(table.query("p")) == []
    assert list(table.query_index(INDEX, "x")) == []


def test_a_put_replaces_the_whole_item(table):
    table.write(Put(an_item(a=1, b=2)))
    table.write(Put(an_item(a=3)))
    assert table.get("p", "1") == an_item(a=3)


def test_an_attribute_is_set_and_the_others_stay(table):
    table.write(SetAttribute("p", "1", "has_runs", value=True))
    table.write(SetAttribute("p", "1", "has_versions", value=True))
    assert table.get("p", "1") == an_item(has_runs=True, has_versions=True)


@pytest.mark.parametrize(
    ("condition", "stored", "holds"),
    [
        (Absent(), None, True),
        (Absent(), {"revision": 1}, False),
        (OneOf("revision", (1,)), None, False),
        (OneOf("revision", (1,)), {"revision": 1}, True),
        (OneOf("revision", (1,)), {"revision": 2}, False),
        (OneOf("revision", (1,)), {"other": 1}, False),
        (OneOf("status", ("Approved", "Champion")), {"status": "Champion"}, True),
        (OneOf("status", ("Approved", "Champion")), {"status": "Archived"}, False),
    ],
)
def test_a_write_follows_its_condition(table, condition, stored, holds):
    if stored is not None:
        table.write(Put(an_item(**stored)))
    assert table.write(Put(an_item(new=True), condition)) is holds
    assert (table.get("p", "1") == an_item(new=True)) is holds


def test_one_condition_that_does_not_hold_stops_the_whole_transaction(table):
    table.write(Put(an_item("2", old=True)))
    operations = Put(an_item("1")), Put(an_item("2"), Absent()), SetAttribute("p", "3", "x", value=1)
    assert not table.write(*operations)
    assert list(table.query("p")) == [an_item("2", old=True)]


def test_a_deleted_item_is_gone_and_a_missing_one_is_no_error(table):
    table.write(Put(an_item("1")), Put(an_item("2")))
    assert table.write(Delete("p", "1"), Delete("p", "3"), Put(an_item("4")))
    assert table.get("p", "1") is None
    assert keys(table.query("p")) == ["2", "4"]
    assert not table.write(Delete("p", "2"), Put(an_item("4"), Absent()))
    assert keys(table.query("p")) == ["2", "4"]


def test_a_query_has_the_order_of_the_keys_and_stays_in_its_partition_and_prefix(table):
    for sort in ("A#2", "A#10", "A#1", "A#é", "A#ü", "A#~", "B#1", "A"):
        table.write(Put(an_item(sort)))
    table.write(Put({"pk": "q", "sk": "A#3"}))
    assert keys(table.query("p", "A#")) == ["A#1", "A#10", "A#2", "A#~", "A#é", "A#ü"]
    assert keys(table.query("p", "A#", newest_first=True)) == ["A#ü", "A#é", "A#~", "A#2", "A#10", "A#1"]
    assert keys(table.query("p")) == ["A", "A#1", "A#10", "A#2", "A#~", "A#é", "A#ü", "B#1"]


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_query_reads_all_pages_and_lets_its_caller_write_meanwhile(table, newest_first):
    for start in range(0, 450, 90):
        table.write(*(Put(an_item(f"{number:04d}")) for number in range(start, start + 90)))
    seen = []
    for item in table.query("p", newest_first=newest_first):
        seen.append(item["sk"])
        if len(seen) % 100 == 1:
            assert table.write(Put(dict(item) | {"seen": True}))
    assert seen == sorted((f"{number:04d}" for number in range(450)), reverse=newest_first)


def test_the_index_holds_only_items_with_the_attribute_and_value(table):
    table.write(Put(an_item("1", open_kind="APPROVAL")))
    table.write(Put(an_item("2", open_kind="ROLLBACK")))
    table.write(Put(an_item("3")))
    assert [(item["pk"], item["sk"]) for item in table.query_index(INDEX, "APPROVAL")] == [("p", "1")]


def test_64_threads_count_without_losing_one(table):
    table.write(Put(an_item(count=0)))
    barrier = threading.Barrier(64)

    def increment(_: int) -> None:
        barrier.wait()
        while True:
            count = table.get("p", "1")["count"]
            operations = Put(an_item(count=count + 1), OneOf("count", (count,))), Put(an_item(f"c{count}"))
            if table.write(*operations):
                return

    with ThreadPoolExecutor(64) as pool:
        list(pool.map(increment, range(64)))
    assert table.get("p", "1") == an_item(count=64)
    assert len(list(table.query("p", "c"))) == 64


def newer(time: str, value: int, *, sort: str = "1", name: str = "a") -> NewerValues:
    return NewerValues("p", sort, f"{name}_at", time, {f"{name}_value": value, "last": value})


def test_many_items_are_read_in_the_order_of_their_keys(table):
    table.write(*(Put(an_item(f"{number:03d}", n=number)) for number in range(MAX_KEYS)))
    keys_of_items = [("p", f"{number:03d}") for number in reversed(range(1, MAX_KEYS + 1))]
    assert table.get_many(keys_of_items) == [None, *(table.get(*key) for key in keys_of_items[1:])]
    assert table.get_many([]) == []


def test_values_are_replaced_by_later_ones_only_and_other_attributes_stay(table):
    table.write(Put(an_item(other=1)))
    writes = [newer("2026-02", 2), newer("2026-01", 1, name="b"), newer("2026-03", 9, sort="2")]
    assert table.write_newer(writes) == NewerOutcome(3)
    later = [newer("2026-01", 1), newer("2026-02", 7), newer("2026-02", 5, name="b")]
    assert table.write_newer(later) == NewerOutcome(1)
    stored = table.get("p", "1")
    assert {name: stored[name] for name in ("other", "a_at", "a_value", "b_at", "b_value", "last")} == {
        "other": 1, "a_at": "2026-02", "a_value": 2, "b_at": "2026-02", "b_value": 5, "last": 5,
    }  # fmt: skip
    assert table.get("p", "2") == {"pk": "p", "sk": "2", "a_at": "2026-03", "a_value": 9, "last": 9}
    assert table.write_newer([]) == NewerOutcome(0)


def test_a_write_that_would_make_its_item_too_large_changes_nothing_and_the_others_are_done(table):
    def long(name: str, n_bytes: int, *, time: str = "2026-02", sort: str = "1") -> NewerValues:
        return NewerValues("p", sort, f"{name}_at", time, {f"{name}_values": "ü" * (n_bytes // 2)})

    fits, too_large, other = long("a", 380_000), long("b", 40_000), long("b", 40_000, sort="2")
    assert table.write_newer([fits]) == NewerOutcome(1)
    assert table.write_newer([too_large, other]) == NewerOutcome(1, (too_large,))
    # moto, unlike DynamoDB, sets the attributes before the one that is too large: their values count here
    stored = table.get("p", "1")
    assert (stored["a_values"], "b_values" in stored) == (fits.attributes["a_values"], False)
    assert table.get("p", "2")["b_values"] == other.attributes["b_values"]
    assert table.write_newer([long("c", 500_000, sort="3")]).n_changed == 0
    assert "c_values" not in (table.get("p", "3") or {})
    assert table.write_newer([long("a", 500_000, time="2026-01")]) == NewerOutcome(0)  # older in any case


def test_a_write_removes_the_attributes_that_it_names(table):
    table.write(Put(an_item(a_at="2026-01", a_value=1, b_at="2026-05", b_value=2)))
    write = NewerValues("p", "1", "a_at", "2026-02", {"a_value": 3}, removed=("b_at", "b_value", "missing"))
    assert table.write_newer([write]) == NewerOutcome(1)
    assert table.get("p", "1") == an_item(a_at="2026-02", a_value=3)


def test_of_64_writers_of_one_item_the_latest_time_wins(table):
    barrier = threading.Barrier(64)

    def write(number: int) -> int:
        barrier.wait()
        writes = [newer(f"{number:02d}", number), newer(f"{63 - number:02d}", 1, sort="2")]
        return table.write_newer(writes).n_changed

    with ThreadPoolExecutor(64) as pool:
        n_written = sum(pool.map(write, range(64)))
    assert 2 <= n_written <= 128
    assert table.get("p", "1") == an_item(a_at="63", a_value=63, last=63)
    assert table.get("p", "2")["a_at"] == "63"


_WRITER = """
import sys
from pathlib import Path
from mlops.infrastructure.sqlite_table import SqliteTable
from mlops.infrastructure.table import Absent, Put, SetAttribute
table, name = SqliteTable(Path(sys.argv[1])), sys.argv[2]
for number in range(int(sys.argv[3])):
    items = [{"pk": half, "sk": f"{name}-{number:04d}", "document": "x" * 5000} for half in ("left", "right")]
    assert table.write(*(Put(item, Absent()) for item in items), SetAttribute("p", name, "n", value=number))
    print(number, flush=True)
"""


def _writer(path: Path, name: str, n: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(mlops.__file__).parents[1])}
    command = [sys.executable, "-c", _WRITER, str(path), name, str(n)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_eight_processes_write_and_one_that_is_killed_leaves_no_half(tmp_path):
    path = tmp_path / "table.sqlite3"
    victim = _writer(path, "victim", 100_000)
    writers = [_writer(path, f"w{number}", 10) for number in range(7)]
    assert victim.stdout is not None
    for _ in range(10):
        victim.stdout.readline()
    victim.send_signal(signal.SIGKILL)
    victim.communicate(timeout=60)
    for writer in writers:
        writer.communicate(timeout=120)
    assert [writer.returncode for writer in writers] == [0] * 7
    table = SqliteTable(path)
    left, right = keys(table.query("left")), keys(table.query("right"))
    assert left == right
    assert {sort for sort in left if sort.startswith("w")} == {
        f"w{number}-{row:04d}" for number in range(7) for row in range(10)
    }
    n_victim = len(list(table.query("left", "victim-")))
    assert n_victim >= 10
    assert table.get("p", "victim") == {"pk": "p", "sk": "victim", "n": n_victim - 1}


@pytest.mark.parametrize("text", ["{}", "é" * PLAIN_LIMIT_BYTES])
def test_a_document_is_read_back_whatever_its_length(table, text):
    table.write(Put(an_item() | document_attributes(text)))
    stored = document_of(table.get("p", "1"))
    assert (stored if isinstance(stored, str) else stored.decode()) == text
    assert ("document_zlib" in table.get("p", "1")) == (len(text) > 2)
