"""Uploads are deleted from the data bucket when they are older than the stack keeps them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from mlops.infrastructure.clock import utc_now
from mlops.infrastructure.upload_events import Upload
from mlops.intake.expiry import expire_uploads
from tests.unit.dataset.intake_world import GOOD, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A used file, one that waits for a champion, settings, and one that intake has never seen."""
    world = World(tmp_path)
    world.receive(world.drop("g/training/used.csv", GOOD))
    assert world.receive(world.drop("g/inference/waiting.csv", GOOD)).outcome == "waiting"
    world.receive(world.drop("g/model.toml", 'target = "adherent"\n'))
    world.drop("g/training/lost.csv", GOOD)
    return world


def left(world: World, *, days: int, age_days: float) -> set[str]:
    now = utc_now() + timedelta(days=age_days)
    before = [facts.ref for facts in world.objects.list_versions("data")]
    n_deleted = expire_uploads(world.objects, world.versions, bucket="data", days=days, now=now)
    after = [facts.ref for facts in world.objects.list_versions("data")]
    assert n_deleted == len(before) - len(after)
    return {ref.key.rsplit("/", 1)[-1] for ref in after}


ALL = {"used.csv", "waiting.csv", "model.toml", "lost.csv"}


@pytest.mark.parametrize(
    ("days", "age_days", "deleted"),
    [
        (0, 4000, set()),
        (30, 29.9, set()),
        (30, 30.1, {"used.csv", "lost.csv"}),
        (1, 1.1, {"used.csv"}),  # a sweep may still find the lost one
    ],
)
def test_used_files_are_deleted_in_time_and_settings_and_waiting_files_never(
    world: World, days: int, age_days: float, deleted: set[str]
) -> None:
    assert left(world, days=days, age_days=age_days) == ALL - deleted


def test_every_version_of_a_used_file_is_deleted(world: World) -> None:
    newer = world.drop("g/training/used.csv", f"{GOOD}P999,30,a,yes\n")
    world.receive(newer, owner="second")
    assert "used.csv" not in left(world, days=30, age_days=31)


def test_a_dataset_outlives_its_upload(world: World) -> None:
    left(world, days=30, age_days=31)
    [dataset] = world.versions.list_datasets("g")
    assert world.objects.read(dataset.ref).decode() == GOOD
    gone = Upload("data", "g/training/used.csv", dataset.source.version_id, len(GOOD))
    assert world.receive(gone, owner="late event").outcome == "accepted"
