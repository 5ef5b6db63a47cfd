"""Uploads of other formats: converted once, then taken in as any file, wherever a run is killed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops.dataset.limits import Limits
from mlops.dataset.validation.reading import load_table
from mlops.infrastructure.event_names import CONVERSION_REQUESTED
from mlops.infrastructure.upload_events import Upload
from mlops.intake.conversion import ConversionRequest, convert_upload
from mlops.intake.ports import IntakePorts, IntakeResult
from mlops.models.dataset import Contract
from mlops.models.objects import ObjectRef
from mlops.models.settings.group import GroupSettings
from tests.unit.dataset.formats import N_ROWS, filled, patients, write_parquet, write_workbook
from tests.unit.dataset.intake_world import LATER, Killed, Notifier, World
from tests.unit.dataset.test_intake import a_champion

MUCH_LATER = LATER + timedelta(minutes=20)  # every claim has ended
TOML = 'target = "adherent"\nid_columns = ["patient_id"]\n'


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "world")
    world.drop("g/model.toml", TOML)
    return world


@pytest.fixture
def parquet(tmp_path: Path) -> bytes:
    return write_parquet(tmp_path / "patients.parquet").read_bytes()


def drop(world: World, content: bytes, key: str = "g/training/patients.parquet") -> Upload:
    ref = world.objects.write(ObjectRef("data", key), content, "application/octet-stream")
    return Upload("data", key, ref.version_id, len(content))


def requests(world: World) -> list[ConversionRequest]:
    return [
        ConversionRequest.from_dict(json.loads(json.dumps(detail)))
        for name, detail in world.notifier.events
        if name == CONVERSION_REQUESTED
    ]


def convert(
    world: World,
    request: ConversionRequest,
    received: list[IntakeResult] | None = None,
    now: datetime = LATER,
) -> None:
    """Run the conversion, which starts intake again."""
    results = received if received is not None else []

    def start_intake(upload: Upload) -> None:
        results.append(world.receive(upload, owner="after the conversion", now=now))

    convert_upload(request, world.objects, start_intake, artifact_bucket="artifacts", limits=Limits())


def take_in(world: World, upload: Upload) -> IntakeResult:
    """Receive a file, convert it, and receive it again; return the last result."""
    assert world.receive(upload).outcome == "in_progress"
    received: list[IntakeResult] = []
    convert(world, requests(world)[-1], received)
    return received[-1]


def test_a_parquet_file_becomes_a_dataset_of_its_own_bytes_and_starts_a_training(
    world: World, parquet: bytes
) -> None:
    import hashlib

    result = take_in(world, drop(world, parquet))
    assert (result.outcome, result.n_rows) == ("accepted", N_ROWS)
    assert result.dataset_id == hashlib.sha256(parquet).hexdigest()
    (document,) = world.executions.training.values()
    assert document["dataset"]["key"] == f"datasets/g/{result.dataset_id}/converted.csv"
    table = world.objects.read(ObjectRef.from_dict(document["dataset"])).decode().splitlines()
    assert table[0] == '"patient_id","zip","age","seen","adherent"'
    assert table[1] == "P0000,10000,20,2024-01-01,yes"


def test_a_file_that_cannot_be_converted_is_in_quarantine_as_it_was_dropped(
    world: World, parquet: bytes
) -> None:
    upload = drop(world, parquet[:-40])
    result = take_in(world, upload)
    assert (result.outcome, result.reason) == ("rejected", "truncated")
    (subject, body), quarantined = (
        world.notifier.emails[-1],
        f"quarantine/g/{upload.upload_id}/patients.parquet",
    )
    assert "patients.parquet was rejected" in subject
    assert "Parquet data is truncated" in body
    assert world.objects.read(ObjectRef("artifacts", quarantined)) == parquet[:-40]
    assert not world.objects.exists(upload.ref)


def test_text_in_an_archive_is_read_as_it_is_written(world: World, tmp_path: Path) -> None:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        rows = "".join(f"P{i};{i % 60 + 20},5;{'yes' if i % 3 else 'no'}\n" for i in range(N_ROWS))
        archive.writestr("a.csv", "patient_id;age;adherent\n" + rows)
    result = take_in(world, drop(world, buffer.getvalue(), "g/training/a.zip"))
    assert (result.outcome, result.n_rows) == ("accepted", N_ROWS)
    (document,) = world.executions.training.values()
    assert document["dataset"]["key"].endswith("/data.csv")
    assert world.objects.read(ObjectRef.from_dict(document["dataset"])).startswith(
        b"patient_id;age;adherent\n"
    )


def test_a_scoring_file_is_scored_from_the_converted_table(world: World, parquet: bytes) -> None:
    world.models.found.append(a_champion())
    upload = drop(world, parquet, "g/inference/patients.parquet")
    result = take_in(world, upload)
    assert result.outcome == "accepted"
    (document,) = world.executions.inference.values()
    content = ObjectRef.from_dict(document["content"])
    assert document["content_bytes"] == world.objects.head(content).size_bytes > upload.size_bytes
    assert content.key.startswith(f"converted/g/{upload.upload_id}/")


def test_a_scoring_file_without_a_champion_is_rejected_before_a_conversion(
    world: World, parquet: bytes
) -> None:
    assert world.receive(drop(world, parquet, "g/inference/a.parquet")).reason == "no_champion"
    assert not requests(world)


def test_a_conversion_that_ends_at_once_finds_the_upload_free(world: World, parquet: bytes) -> None:
    received: list[IntakeResult] = []

    class Eager(Notifier):
        def publish_event(self, detail_type: str, detail: Mapping[str, Any]) -> None:
            Notifier.publish_event(self, detail_type, detail)
            if detail_type == CONVERSION_REQUESTED:
                convert(world, ConversionRequest.from_dict(detail), received)

    world.notifier = Eager()
    world.receive(drop(world, parquet))
    assert [result.outcome for result in received] == ["accepted"]


def test_the_contract_of_a_typed_file_keeps_its_codes_where_it_is_trained(
    world: World, parquet: bytes, tmp_path: Path
) -> None:
    take_in(world, drop(world, parquet))
    (document,) = world.executions.training.values()
    path = tmp_path / "converted.csv"
    world.objects.download(ObjectRef.from_dict(document["dataset"]), path)
    contract = Contract.from_json(world.objects.read(ObjectRef.from_dict(document["contract"])))
    assert load_table(path, GroupSettings.from_toml(TOML), contract).columns["zip"].kind == "category"


def test_an_upload_is_converted_once_and_decided_once(world: World, parquet: bytes) -> None:
    upload = drop(world, parquet)
    first, second = world.receive(upload), world.receive(upload, owner="the same event again")
    assert first.outcome == second.outcome == "in_progress"
    received: list[IntakeResult] = []
    for request in requests(world):
        convert(world, request, received)
    assert [result.is_repeated for result in received] == [False, True]
    assert len(world.executions.training) == 1
    written = [key for key in world.artifacts() if key.startswith("converted/")]
    assert len(written) == 2  # the table and the record


def test_a_changed_choice_of_the_sheet_is_converted_again(world: World, tmp_path: Path) -> None:
    other = filled([(i, 20 + i * 37 % 60, "ab"[i % 2]) for i in range(60)], ("patient_id", "age", "adherent"))
    path = write_workbook(tmp_path / "a.xlsx", filled(patients()), other, names=("Data", "Other"))
    upload = drop(world, path.read_bytes(), "g/training/a.xlsx")
    world.receive(upload)
    world.drop("g/model.toml", f'{TOML}[format]\nsheet = "Other"\n')
    received: list[IntakeResult] = []
    convert(world, requests(world)[-1], received)
    assert received[-1].outcome == "in_progress"
    convert(world, requests(world)[-1], received)
    assert (received[-1].outcome, received[-1].n_rows) == ("accepted", 60)


def test_a_file_that_was_deleted_meanwhile_is_recorded(world: World, parquet: bytes) -> None:
    upload = drop(world, parquet)
    world.receive(upload)
    world.objects.delete(upload.ref)
    received: list[IntakeResult] = []
    convert(world, requests(world)[-1], received)
    assert (received[-1].outcome, received[-1].reason) == ("ignored", "deleted")


def walk(world: World, upload: Upload, ports: IntakePorts) -> bool:
    """Receive, convert and receive again with ports that kill; return whether it came to its end."""

    def start_intake(dropped: Upload) -> None:
        world.receive(dropped, ports, owner="after the conversion", now=LATER)

    try:
        world.receive(upload, ports)
        for request in requests(world):
            convert_upload(request, ports.objects, start_intake, artifact_bucket="artifacts", limits=Limits())
    except Killed:
        return False
    return True


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("is_damaged", [True, False])
def test_a_run_that_is_killed_anywhere_is_finished_by_the_next(
    before: bool, is_damaged: bool, tmp_path: Path, parquet: bytes
) -> None:
    content = parquet[:-40] if is_damaged else parquet
    for call in range(1, 80):
        world = World(tmp_path / f"world-{call}")
        world.drop("g/model.toml", TOML)
        upload = drop(world, content)
        was_killed = not walk(world, upload, world.ports([call], before=before))
        # what Lambda, or the daily sweep, does: the same event again, and every request that was sent
        world.receive(upload, now=MUCH_LATER)
        for request in requests(world):
            convert(world, request, now=MUCH_LATER)
        (record,) = world.versions.list_uploads("g")
        assert record.state == ("rejected" if is_damaged else "accepted"), call
        assert len(world.executions.training) == (0 if is_damaged else 1)
        if not was_killed:
            return
    pytest.fail("never ran to its end")
