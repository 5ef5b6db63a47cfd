"""A folder of parts that is closed: held until then, judged as one file, accepted or refused once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops.dataset.limits import Limits
from mlops.infrastructure.upload_events import Upload
from mlops.intake.parts.listing import Part, manifest_entries
from mlops.intake.parts.merging import merge_parts
from mlops.intake.parts.steps import list_parts, survey_part
from mlops.intake.ports import IntakePorts
from mlops.intake.uploads import why_ignored
from mlops.models.errors import DatasetError, UploadBusyError
from mlops.models.intake.uploads import Claim
from mlops.models.objects import ObjectRef
from tests.unit.dataset.intake_world import GOOD, LATER, NOW, Killed, World

HEADER, *ROWS = GOOD.splitlines()
FOLDER = "g/training/2026-11"


def parts_of(rows: Sequence[str], n_parts: int = 12) -> list[str]:
    size = len(rows) // n_parts
    return ["\n".join([HEADER, *rows[n * size : (n + 1) * size]]) + "\n" for n in range(n_parts)]


def drop_parts(world: World, parts: Sequence[str], folder: str = FOLDER) -> list[Upload]:
    return [world.drop(f"{folder}/part-{n:05d}.csv", part) for n, part in enumerate(parts)]


def run_machine(
    world: World,
    document: Mapping[str, Any],
    ports: IntakePorts | None = None,
    *,
    owner: str = "merge",
    now: datetime = NOW,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """What validate_parts does, step by step."""
    used = ports or world.ports()
    upload = Upload.from_dict(document["upload"])
    state = list_parts(upload, storage=used, limits=limits or Limits())
    for _ in range(3):
        for item in json.loads(used.objects.read(ObjectRef(**state["parts"]))):
            survey_part(ObjectRef(**state["request"]), Part.from_dict(item), used.objects)
        claim = Claim(owner, now + timedelta(minutes=15))
        state = merge_parts(ObjectRef(**state["request"]), ports=used, claim=claim, now=now)
        if state["is_decided"]:
            received: dict[str, Any] = state["received"]
            return received
    raise AssertionError("the parts were read a third time")


def close(world: World, name: str = "_SUCCESS", content: str = "", **how: Any) -> dict[str, Any]:
    # other content each time, because files that were deleted give their version number to the next
    upload = world.drop(f"{FOLDER}/{name}", content or str(len(world.executions.validation)))
    assert world.receive(upload).outcome == "in_progress"
    return run_machine(world, world.executions.validation[upload.upload_id], **how)


SAID = ["DatasetAccepted", "UploadsAccepted", "[g] 2026-11/ was accepted, training started"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_parts_wait_until_their_folder_is_closed(world: World) -> None:
    for upload in drop_parts(world, parts_of(ROWS)):
        received = world.receive(upload)
        assert (received.outcome, received.reason) == ("ignored", "part_of_a_folder")
    assert world.executions.training == world.executions.validation == {}
    assert world.notifier.said() == []


def test_a_closed_folder_becomes_one_dataset_and_one_training(world: World) -> None:
    drop_parts(world, parts_of(ROWS))
    received = close(world)
    assert (received["outcome"], received["n_rows"]) == ("accepted", 120)
    (dataset,) = world.versions.list_datasets("g")
    assert world.objects.read(dataset.ref).decode() == GOOD
    assert len(world.executions.training) == 1
    assert world.notifier.said() == SAID
    made_of = json.loads(
        world.objects.read(ObjectRef("artifacts", f"datasets/g/{dataset.dataset_id}/parts.json"))
    )
    assert [part["name"] for part in made_of["parts"]] == [f"part-{n:05d}.csv" for n in range(12)]
    assert all(part["ref"]["version_id"] and part["sha256"] for part in made_of["parts"])


def test_a_bad_part_is_named_with_its_line_and_the_mended_folder_is_accepted(world: World) -> None:
    parts = parts_of(ROWS)
    bad = parts[7].replace(",a,", ",a,extra,", 1)
    uploads = drop_parts(world, [*parts[:7], bad, *parts[8:]])
    line = next(n for n, row in enumerate(bad.splitlines(), 1) if "extra" in row)
    assert close(world)["outcome"] == "rejected"
    ((subject, body),) = world.notifier.emails
    assert subject == "[g] 2026-11/ was rejected"
    assert f"line {line} of part-00007.csv" in body
    assert "drop the closing file into the folder again" in body
    assert all(world.objects.exists(upload.ref) for upload in uploads), "the parts stay where they are"
    assert world.executions.training == {}
    world.drop(uploads[7].key, parts[7])
    assert close(world)["outcome"] == "accepted"
    assert len(world.executions.training) == 1


def test_a_closing_object_that_is_delivered_twice_is_decided_once(world: World) -> None:
    drop_parts(world, parts_of(ROWS))
    upload = world.drop(f"{FOLDER}/_SUCCESS", "")
    assert world.receive(upload).outcome == world.receive(upload, owner="twin").outcome == "in_progress"
    (document,) = world.executions.validation.values()
    first, second = run_machine(world, document), run_machine(world, document, owner="again")
    assert (first["outcome"], first["is_repeated"]) == ("accepted", False)
    assert (second["outcome"], second["is_repeated"]) == ("accepted", True)
    assert world.receive(upload, owner="late").outcome == "accepted"
    assert world.notifier.said() == SAID


def test_the_same_parts_closed_again_start_no_second_training(world: World) -> None:
    drop_parts(world, parts_of(ROWS))
    close(world)
    assert close(world)["reason"] == "same_content"
    assert len(world.executions.training) == 1
    assert world.notifier.emails[-1][0] == "[g] 2026-11/: trained on before, not trained again"


def test_a_merge_waits_while_another_run_holds_the_upload(world: World) -> None:
    drop_parts(world, parts_of(ROWS))
    upload = world.drop(f"{FOLDER}/_SUCCESS", "")
    with pytest.raises(Killed):
        world.receive(upload, world.ports([2], before=False))
    document = {"upload": upload.to_dict()}
    with pytest.raises(UploadBusyError, match="try again later"):
        run_machine(world, document)
    assert run_machine(world, document, now=LATER)["outcome"] == "accepted"


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("is_bad", [True, False])
def test_a_merge_that_is_killed_anywhere_is_finished_by_the_next(
    tmp_path: Path, is_bad: bool, before: bool
) -> None:
    parts = parts_of(ROWS, 2)
    if is_bad:
        parts[1] = parts[1].replace(",a,", ",a,extra,", 1)
    n_killed = 0
    for n_calls in range(1, 60):
        world = World(tmp_path / str(n_calls))
        drop_parts(world, parts)
        upload = world.drop(f"{FOLDER}/_SUCCESS", "")
        world.receive(upload)
        (document,) = world.executions.validation.values()
        try:
            run_machine(world, document, world.ports([n_calls], before=before))
        except Killed:
            n_killed += 1
        received = run_machine(world, document, owner="next", now=LATER)
        assert received["outcome"] == ("rejected" if is_bad else "accepted")
        (record,) = world.versions.list_uploads("g")
        assert (record.is_open, record.claim) == (False, None)
        assert len(world.executions.training) == (not is_bad)
        assert set(world.notifier.said()) == (
            {"[g] 2026-11/ was rejected", "DatasetRejected", "UploadsRejected"} if is_bad else set(SAID)
        )
    assert 20 < n_killed < 59, "every call was the last one once"


def test_a_manifest_chooses_and_orders_the_parts(world: World) -> None:
    uploads = drop_parts(world, parts_of(ROWS))
    old = uploads[0]
    world.drop(old.key, "broken")
    world.drop(f"{FOLDER}/part-00099.csv", "not named, so not read")
    entries: list[Any] = [upload.key for upload in uploads[1:]]
    pinned = {"key": "part-00000.csv", "version_id": old.version_id}
    manifest = json.dumps({"parts": [*entries, pinned]})
    received = close(world, "november.manifest.json", manifest)
    assert (received["outcome"], received["n_rows"]) == ("accepted", 120)
    (dataset,) = world.versions.list_datasets("g")
    assert world.objects.read(dataset.ref).decode().splitlines() == [HEADER, *ROWS[10:], *ROWS[:10]]


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("{nonsense", "not JSON"),
        ("[]", "names no parts"),
        ('["part-00001.csv", "part-00001.csv"]', "twice"),
        ("[7]", "neither a key nor an object"),
        ('["part-00001.csv", "gone.csv"]', "1 of the parts do not exist: gone.csv"),
        ('["s3://elsewhere/part.csv"]', "not a part below g/training/"),
        ('["_SUCCESS"]', "not a part below g/training/"),
    ],
)
def test_a_bad_manifest_is_refused_with_a_reason(world: World, manifest: str, reason: str) -> None:
    drop_parts(world, parts_of(ROWS))
    received = close(world, "a.manifest.json", manifest)
    assert (received["outcome"], received["reason"]) == ("rejected", "manifest")
    assert reason in world.notifier.emails[0][1]


def test_addresses_as_other_tools_write_them_are_understood() -> None:
    content = b'{"entries": [{"url": "s3://b/g/training/f/0000_part_00", "mandatory": true}]}'
    assert manifest_entries(content) == [("s3://b/g/training/f/0000_part_00", None)]
    with pytest.raises(DatasetError):
        manifest_entries(b'"text"')


def test_an_empty_folder_and_folders_below_are_refused(world: World) -> None:
    assert close(world)["reason"] == "parts"
    assert "has no parts" in world.notifier.emails[0][1]
    world.drop(f"{FOLDER}/year=2026/part-0.csv", GOOD)
    assert close(world)["reason"] == "parts"
    assert "Write all parts into one folder" in world.notifier.emails[1][1]


def test_notes_of_other_tools_are_no_parts(world: World) -> None:
    drop_parts(world, parts_of(ROWS))
    for name in ("_committed_123", "._SUCCESS.crc", ".part-00000.csv.crc"):
        world.drop(f"{FOLDER}/{name}", "x")
    assert close(world)["n_rows"] == 120


def test_too_many_and_too_large_are_refused_with_the_limit(world: World) -> None:
    drop_parts(world, parts_of(ROWS))
    assert close(world, limits=Limits(max_parts=11))["reason"] == "parts"
    assert "There are 12 parts; the limit is 11" in world.notifier.emails[0][1]
    assert close(world, limits=Limits(max_expanded_bytes=1000))["reason"] == "too_large"
    assert "too large together" in world.notifier.emails[1][1]


def test_bad_settings_are_refused_with_the_nearest_key(world: World) -> None:
    world.drop("g/model.toml", 'traget = "plan"')
    drop_parts(world, parts_of(ROWS))
    assert close(world)["reason"] == "settings"
    assert "target" in world.notifier.emails[0][1]


def test_a_part_that_vanishes_is_named(world: World) -> None:
    uploads = drop_parts(world, parts_of(ROWS))
    upload = world.drop(f"{FOLDER}/_SUCCESS", "")
    world.receive(upload)
    state = list_parts(upload, storage=world.ports(), limits=Limits())
    world.objects.delete(uploads[4].ref)
    for item in json.loads(world.objects.read(ObjectRef(**state["parts"]))):
        survey_part(ObjectRef(**state["request"]), Part.from_dict(item), world.objects)
    claim = Claim("merge", LATER)
    decided = merge_parts(ObjectRef(**state["request"]), ports=world.ports(), claim=claim, now=NOW)
    assert decided["received"]["reason"] == "parts"
    assert "part-00004.csv was deleted" in world.notifier.emails[0][1]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("g/training/f/part-0.csv", "part_of_a_folder"),
        ("g/training/f/deeper/part-0.csv", "part_of_a_folder"),
        ("g/training/f/.part-0.csv.crc", "hidden_file"),
        ("g/training/f/_SUCCESS", None),
        ("g/training/f/x.manifest.json", None),
        ("g/training/part-0.csv", None),
        ("g/inference/f/part-0.csv", None),
        ("g/inference/f/_SUCCESS", None),
        ("g/training/f/part-0.csv.tmp", "unfinished_transfer"),
    ],
)
def test_only_training_files_in_folders_wait(key: str, reason: str | None) -> None:
    assert why_ignored(Upload("data", key, "1", 10)) == reason
