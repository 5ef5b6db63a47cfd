"""Files of features that are dropped are stored once, or refused as a whole by email."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from mlops.feature_store.definitions import Entity, FeatureView, Field, FileSource, ValueType
from mlops.infrastructure.upload_events import Upload
from mlops.intake.placement.placement import probable_keys, why_misplaced
from tests.unit.dataset.intake_world import LATER, NOW, Killed, World

VITALS = FeatureView(
    "vitals",
    (Entity("patient", join_keys=("patient_id",)),),
    (Field("bmi", ValueType.FLOAT64),),
    FileSource("at"),
)
KEY = "_features/vitals/march.csv"
GOOD = "patient_id,at,bmi\nA,2026-09-01T00:00:00Z,20.5\nB,2026-09-02T00:00:00Z,\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world in which one view is defined."""
    world = World(tmp_path)
    world.features.apply([VITALS])
    return world


def n_rows(world: World) -> int:
    return world.features.offline.states.get("vitals").n_rows


def test_values_are_stored_and_answered_by_an_email_an_event_and_a_metric(world: World) -> None:
    received = world.receive(world.drop(KEY, GOOD))
    assert (received.outcome, received.purpose, received.n_rows) == ("accepted", "features", 2)
    assert received.group == "_features"
    assert [key.rsplit("/", 1)[0] for key in world.artifacts()] == [
        "features/vitals/date=2026-09-01",
        "features/vitals/date=2026-09-02",
    ]
    ((subject, body),) = world.notifier.emails
    assert subject == "[_features] march.csv: values stored"
    assert "2 rows of 2 rows stored" in body
    assert "2026-09-01 00:00 to 2026-09-02 00:00 UTC" in body
    ((kind, detail),) = world.notifier.events
    assert (kind, detail["purpose"], detail["group"]) == ("DatasetAccepted", "features", "_features")
    assert "_features" not in world.versions.list_groups()
    (ingestion,) = world.features.offline.states.ingestions("vitals")
    assert ingestion.file == "vitals/march.csv"


@pytest.mark.parametrize("last_call", range(1, 9))
@pytest.mark.parametrize("before", [True, False])
def test_a_run_that_is_killed_anywhere_is_completed_by_the_next(
    world: World, last_call: int, before: bool
) -> None:
    upload = world.drop(KEY, GOOD)
    try:
        world.receive(upload, world.ports([last_call], before=before))
    except Killed:
        world.receive(upload, owner="next", now=NOW + timedelta(hours=2))
    assert n_rows(world) == 2
    assert len(list(world.features.offline.states.ingestions("vitals"))) == 1
    assert all("2 rows of 2 rows stored" in body for _, body in world.notifier.emails)
    assert world.notifier.emails


def test_an_event_that_comes_again_stores_nothing_and_the_same_rows_are_stored_once(world: World) -> None:
    upload = world.drop(KEY, GOOD)
    world.receive(upload)
    assert world.receive(upload, now=LATER).is_repeated
    world.receive(world.drop("_features/vitals/copy/again.csv", GOOD))
    assert n_rows(world) == 2
    assert "2 were stored before" in world.notifier.emails[-1][1]


@pytest.mark.parametrize(
    ("key", "content", "sentence"),
    [
        (KEY, "patient_id,at,bmi\nA,2026-09-01T00:00:00Z,tall\n", "bmi is not a value of the type Float64"),
        (KEY, "patient_id,at,bmi\nA,2026-09-01 00:00,20\n", "is not a time with a UTC offset"),
        (KEY, "patient_id,at,bmi\n,2026-09-01T00:00:00Z,20\n", "no patient_id; every row needs one"),
        (KEY, "patient,at,bmi\nA,2026-09-01T00:00:00Z,20\n", "Did you mean 'patient'?"),
        (KEY, "patient_id,at,bmi\nA,2036-09-01T00:00:00Z,20\n", "a time in the future"),
        ("_features/vitalz/a.csv", GOOD, "There is no feature view or service 'vitalz'. Did you mean"),
        ("_features/vitals/a.xlsx", "x", "a.xlsx must be a CSV file (.csv) or a Parquet file (.parquet)."),
        ("_features/vitals/a.parquet", "no parquet", "cannot be read"),
        (KEY, "", "The file is empty; it needs a header and rows."),
    ],
)
def test_a_file_that_does_not_fit_goes_to_quarantine_with_a_sentence(
    world: World, key: str, content: str, sentence: str
) -> None:
    upload = world.drop(key, content)
    received = world.receive(upload, now=NOW)
    if not content:  # the file itself may still follow
        received = world.receive(upload, now=NOW + timedelta(hours=2))
    assert (received.outcome, received.reason) == ("rejected", "feature_values")
    assert n_rows(world) == 0
    assert not world.objects.exists(upload.ref)
    assert {key.rsplit("/", 1)[0] for key in world.artifacts()} == {
        f"quarantine/_features/{upload.upload_id}"
    }
    ((subject, body),) = world.notifier.emails
    assert subject == f"[_features] {upload.filename} was rejected"
    assert sentence in body


def test_a_file_without_the_folder_of_a_view_stays_and_an_email_says_where_it_belongs(world: World) -> None:
    upload = world.drop("_features/march.csv", GOOD)
    received = world.receive(upload)
    assert (received.outcome, received.reason) == ("ignored", "no_view")
    assert world.objects.exists(upload.ref)
    ((subject, body),) = world.notifier.emails
    assert subject == "[_features] march.csv was not used"
    assert "_features/<view>/march.csv" in body
    assert "mlops features apply" in body


def test_marks_and_temporary_files_of_programs_are_ignored(world: World) -> None:
    for name in ("_SUCCESS", "part.manifest.json", ".part-1.crc", "x.csv.tmp"):
        assert world.receive(world.drop(f"_features/vitals/{name}", "x")).outcome == "ignored"
    assert world.notifier.emails == []


def test_no_group_can_have_the_name_of_the_folder() -> None:
    upload = Upload("data", "_features/training/a.csv", "1", 1)
    assert (upload.group, upload.view, upload.purpose) == (None, "training", "features")
    assert why_misplaced(upload) is None
    assert probable_keys(Upload("data", "_features/a.csv", "1", 1), ()) == ("_features/<view>/a.csv",)
