"""`mlops datasets list --ignored`, on plain files: which uploads were not used, and why."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops.cli.main import main
from mlops.dataset.catalog.local import local_versions
from mlops.infrastructure.upload_events import NO_GROUP
from mlops.intake.answers.listing import why_unused
from mlops.intake.placement.names import IGNORED_NAMES
from mlops.intake.placement.placement import MISPLACED
from mlops.models.intake.uploads import UploadRecord, UploadState

NOW = datetime(2026, 10, 5, 8, tzinfo=UTC)


def an_upload(group: str, key: str, reason: str, state: UploadState = "ignored") -> UploadRecord:
    return UploadRecord(group, key[-32:], key, None, state, NOW, reason=reason)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    versions = local_versions(tmp_path / "datasets" / "records")
    versions.add_group("g")
    versions.add_folder("elsewhere")
    versions.add_folder(NO_GROUP)
    for upload in (
        an_upload("g", "g/train/a.csv", "outside_training_and_inference"),
        an_upload("g", "g/training/a.csv.part", "unfinished_transfer"),
        an_upload("g", "g/training/f/part-0.csv", "part_of_a_folder"),
        an_upload("g", "g/training/b.csv", "ClientError", "failed"),
        an_upload("g", "g/training/c.csv", "type_mismatch", "rejected"),
        an_upload("elsewhere", "elsewhere/x\ny.csv", "unusable_name"),
        an_upload(NO_GROUP, "x.csv", "outside_a_group"),
    ):
        versions.record_upload(upload)
    return tmp_path


def listed(root: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["datasets", "list", *arguments, "--root", str(root)]) == 0
    return capsys.readouterr().out


def test_the_unused_files_of_a_group_are_listed_with_the_reason(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = listed(root, capsys, "g", "--ignored").splitlines()
    assert [line.split()[2] for line in lines] == [
        "g/train/a.csv",
        "g/training/a.csv.part",
        "g/training/b.csv",
    ]
    assert lines[0].startswith("2026-10-05 08:00  g/train/a.csv ")
    assert lines[0].endswith(MISPLACED["outside_training_and_inference"])
    assert lines[2].endswith("given up after several attempts: ClientError")


def test_without_a_group_the_unused_files_of_all_folders_are_listed(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = json.loads(listed(root, capsys, "--ignored", "--json"))
    assert sorted(document["key"] for document in documents) == [
        "elsewhere/x\ny.csv", "g/train/a.csv", "g/training/a.csv.part", "g/training/b.csv", "x.csv",
    ]  # fmt: skip
    assert "\\n" in listed(root, capsys, "elsewhere", "--ignored"), "a line break is shown as such"


def test_nothing_ignored_and_no_group_are_said(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(root, capsys, "h", "--ignored") == "No file was ignored.\n"
    assert main(["datasets", "list", "--root", str(root)]) != 0
    assert "Name a group" in capsys.readouterr().err


def test_every_reason_is_explained() -> None:
    reasons = [*MISPLACED, *(entry.reason for entry in IGNORED_NAMES), "empty", "deleted"]
    assert all(" " in why_unused(an_upload("g", "g/x", reason)) for reason in reasons)


def test_reasons_of_an_earlier_release_are_shown_in_plain_words() -> None:
    assert why_unused(an_upload("g", "g/x", "some_old_reason")) == "some old reason"
