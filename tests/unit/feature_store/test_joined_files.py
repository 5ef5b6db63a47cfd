"""Files with joined features: the values of training are those that scoring reads, for every type."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlops.dataset.conversion.plain_csv import PlainCsv, plain_csv
from mlops.dataset.conversion.table_file import TableFile
from mlops.dataset.limits import Limits
from mlops.feature_store.definitions import (
    FeatureService,
    Field,
    RequestSource,
    ValueType,
    on_demand_feature_view,
)
from mlops.feature_store.store import FeatureStore
from mlops.models.errors import FeatureStoreError
from mlops.models.settings.columns import FeatureSettings
from mlops.models.settings.format import FileFormatSettings
from tests.unit.feature_store.conftest import NOW, Clock, a_store, a_view, day, write_csv

EVERY_TYPE = {
    "bmi": ValueType.FLOAT64,
    "pulse": ValueType.INT64,
    "smokes": ValueType.BOOL,
    "city": ValueType.STRING,
    "seen": ValueType.UNIX_TIMESTAMP,
}
VITALS = a_view("vitals", ttl=timedelta(days=10), **EVERY_TYPE)


@on_demand_feature_view(
    sources=[VITALS[["bmi"]], RequestSource([Field("height", ValueType.FLOAT64)])],
    schema=[Field("mass", ValueType.FLOAT64)],
)
def body(row):
    return {"mass": None if row["bmi"] is None or row["height"] is None else row["bmi"] * row["height"] ** 2}


SERVICE = FeatureService("adherence_v1", [VITALS, body])
SETTINGS = FeatureSettings("adherence_v1")
NAMES = ("patient_id", "at", *EVERY_TYPE)
VALUES = [
    dict(zip(NAMES, row, strict=True))
    for row in (
        ("A", day(20), 20.1, 61, "true", "Bern", day(3)),
        ("A", day(27), 1e-7, -3, "false", "007", day(4)),
        ("B", day(28), None, None, None, None, None),
        ("C", day(1), 30, 70, "true", "Ulm", day(1)),
        ("D", day(22), 1e17, 0, "false", 'a "b", c', day(9)),
    )
]
ENTITIES = ("A", "B", "C", "D", "absent")


@pytest.fixture
def filled(store: FeatureStore, tmp_path: Path) -> FeatureStore:
    """A store with values of every type, in files and online."""
    store.apply([VITALS, body, SERVICE])
    store.ingest("vitals", write_csv(tmp_path / "values.csv", VALUES))
    store.materialize_incremental(NOW)
    return store


def plain(path: Path, **stated: str) -> PlainCsv:
    """The rows of a file, as intake prepares them."""
    rows = plain_csv(
        TableFile(path), path.with_suffix(".rows"), FileFormatSettings(**stated), limits=Limits()
    )
    assert rows is not None
    return rows


def rows_to_join(folder: Path, moment: datetime) -> PlainCsv:
    path = write_csv(
        folder / "rows.csv",
        [
            {"patient_id": entity, "visit": moment.isoformat(), "height": "2.0", "note": "0042", "label": "x"}
            for entity in ENTITIES
        ],
    )
    return plain(path)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_values_as_of_a_time_are_written_as_those_that_are_read_at_that_time(
    filled: FeatureStore, clock: Clock, tmp_path: Path
) -> None:
    settings = filled.pinned(SETTINGS)
    assert settings.version == 1
    for moment in (NOW, NOW + timedelta(days=9), NOW + timedelta(days=30)):
        clock.now = moment
        source = rows_to_join(tmp_path, moment)
        past = filled.join_as_of(source, tmp_path / "past.csv", settings, "visit")
        now = filled.join_online(source, tmp_path / "now.csv", settings)
        assert (tmp_path / "past.csv").read_bytes().replace(b'""', b"") == (
            tmp_path / "now.csv"
        ).read_bytes().replace(b'""', b"")
        assert past.n_rows == now.n_rows == len(ENTITIES)
        assert past.text_columns == now.text_columns == (8,)


def test_the_columns_of_the_file_stay_as_they_are_written_and_each_value_is_right(
    filled: FeatureStore, tmp_path: Path
) -> None:
    settings = filled.pinned(SETTINGS)
    filled.join_online(rows_to_join(tmp_path, NOW), tmp_path / "now.csv", settings)
    rows = {row["patient_id"]: row for row in read(tmp_path / "now.csv")}
    own = ("patient_id", "visit", "height", "note", "label")
    assert tuple(rows["A"]) == (*own, "bmi", "pulse", "smokes", "city", "seen", "mass")
    assert {row["note"] for row in rows.values()} == {"0042"}
    assert [rows["A"][name] for name in EVERY_TYPE] == ["1e-07", "-3", "false", "007", "2026-02-04T00:00:00Z"]
    assert float(rows["A"]["mass"]) == 4e-7
    assert rows["D"]["city"] == 'a "b", c'
    for entity in ("B", "C", "absent"):  # missing in the source, older than the ttl, not there
        assert {rows[entity][name] for name in (*EVERY_TYPE, "mass")} == {""}


def test_a_row_without_a_readable_key_or_value_of_the_request_has_no_features(
    filled: FeatureStore, tmp_path: Path
) -> None:
    source = write_csv(
        tmp_path / "rows.csv",
        [
            {"patient_id": "A", "height": 2},
            {"patient_id": None, "height": 2},
            {"patient_id": "A", "height": "tall"},
        ],
    )
    joined = filled.join_online(plain(source), tmp_path / "now.csv", filled.pinned(SETTINGS))
    assert [row["bmi"] for row in read(tmp_path / "now.csv")] == ["1e-07", "", ""]
    assert joined.n_rows == 3


FORMS = {
    "semicolons": (b"patient_id;height;dose\nA;2,0;1.234,5\n", {}),
    "cp1251": (
        "patient_id\theight\tdose\tгород\nA\t2.0\t1234.5\tЯлта\n".encode("cp1251"),
        {"encoding": "cp1251"},
    ),
    "a preamble": (b"Ward 7\n\npatient_id,height,dose\nA,2.0,1234.5\n", {}),
    "no header": (b"A,2.0,1234.5\n", {"names": ("patient_id", "height", "dose")}),
    "other quotes": (b"patient_id|height|dose\n'A'|2.0|1234.5\n", {"quote": "'", "delim": "|"}),
    "comments": (b"patient_id,height,dose\n# checked\nA,2.0,1234.5\n", {"comment": "#"}),
    "a total": (b"patient_id,height,dose\nA,2.0,1234.5\nTotal,2.0,1\n", {"comment": "Total"}),
    "backslashes": (
        b'patient_id,height,dose,note\nA,2.0,1234.5,"a \\"b\\", c"\n',
        {"escape": "\\"},
    ),
    "compressed": (gzip.compress(b"patient_id,height,dose\r\nA,2.0,1234.5\r\n"), {}),
}


@pytest.mark.parametrize(("content", "stated"), FORMS.values(), ids=FORMS)
def test_a_file_is_read_in_the_form_that_validation_finds(
    filled: FeatureStore, tmp_path: Path, content: bytes, stated: dict[str, str]
) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    filled.join_online(plain(path, **stated), tmp_path / "now.csv", filled.pinned(SETTINGS))
    (row,) = read(tmp_path / "now.csv")
    assert [row[name] for name in ("patient_id", "dose", "bmi", "mass")] == ["A", "1234.5", "1e-07", "4e-07"]
    assert row.get("город", "Ялта") == "Ялта"
    assert row.get("note", 'a "b", c') == 'a "b", c'


def test_many_rows_keep_their_order(filled: FeatureStore, tmp_path: Path) -> None:
    rows = [{"patient_id": ENTITIES[number % 5], "height": number} for number in range(2_345)]
    source = plain(write_csv(tmp_path / "rows.csv", rows))
    filled.join_online(source, tmp_path / "now.csv", filled.pinned(SETTINGS))
    joined = read(tmp_path / "now.csv")
    assert [row["height"] for row in joined] == [str(number) for number in range(2_345)]
    assert {row["city"] for row in joined[3::5]} == {'a "b", c'}


def test_rows_of_a_request_get_values_and_keep_their_own(filled: FeatureStore) -> None:
    rows = [{"patient_id": "A", "height": 2.0, "city": "own"}] + [{"patient_id": "x", "height": 1}] * 120
    answer = filled.add_online(rows, filled.pinned(SETTINGS))
    assert answer[0] == {
        "patient_id": "A",
        "height": 2.0,
        "city": "own",
        "bmi": 1e-7,
        "pulse": -3,
        "smokes": False,
        "seen": "2026-02-04T00:00:00Z",
        "mass": 4e-7,
    }
    assert len(answer) == 121
    assert answer[-1]["bmi"] is None


def test_a_service_keeps_its_version_when_it_is_applied_again(filled: FeatureStore, tmp_path: Path) -> None:
    first = filled.pinned(SETTINGS)
    filled.apply([VITALS, FeatureService("adherence_v1", [VITALS[["pulse"]]])])
    assert filled.pinned(SETTINGS).version == 2
    assert filled.pinned(first) == first
    filled.join_online(rows_to_join(tmp_path, NOW), tmp_path / "now.csv", first)
    assert "mass" in read(tmp_path / "now.csv")[0]


@pytest.mark.parametrize(
    ("header", "settings", "sentence"),
    [
        ("patient,visit,height", SETTINGS, "has no column 'patient_id'"),
        ("patient_id,visit", SETTINGS, "has no column 'height'"),
        ("patient_id,height", SETTINGS, "has no column 'visit'"),
        ("patient_id,visit,height,BMI", SETTINGS, "has columns that the feature service has: bmi"),
        ("patient_id,visit,height", FeatureSettings("adherence_v2"), "Did you mean 'adherence_v1'?"),
        ("patient_id,visit,height", FeatureSettings("vitals"), "needs a feature service"),
        ("patient_id,visit,height", FeatureSettings("adherence_v1", 7), "has no version 7; the newest is 1"),
    ],
)
def test_what_cannot_be_joined_is_one_sentence(
    filled: FeatureStore, tmp_path: Path, header: str, settings: FeatureSettings, sentence: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(header + "\n" + ",".join("1" for _ in header.split(",")) + "\n", encoding="utf-8")
    with pytest.raises(FeatureStoreError, match=sentence.replace("?", r"\?")):
        filled.join_as_of(plain(path), tmp_path / "past.csv", filled.pinned(settings), "visit")
    assert not (tmp_path / "past.csv").exists()


def test_a_value_of_the_future_is_never_joined(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    store.apply([VITALS, body, SERVICE])
    store.ingest("vitals", write_csv(tmp_path / "values.csv", VALUES))
    moment = datetime(2026, 2, 21, tzinfo=UTC)
    store.join_as_of(rows_to_join(tmp_path, moment), tmp_path / "past.csv", store.pinned(SETTINGS), "visit")
    rows = {row["patient_id"]: row["bmi"] for row in read(tmp_path / "past.csv")}
    assert rows == {"A": "20.1", "B": "", "C": "", "D": "", "absent": ""}
