"""Which names are never data, and what is guessed from the key of an object in a wrong place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.infrastructure.upload_events import Upload
from mlops.intake.placement.folders import is_part_name
from mlops.intake.placement.names import IGNORED_NAMES, why_ignored_name
from mlops.intake.placement.placement import MISPLACED, probable_keys, same_group, why_misplaced

GROUPS = ("claims-2026", "medication-adherence")


def an_upload(key: str) -> Upload:
    return Upload("data", key, "1", 10)


def place(key: str) -> tuple[str | None, tuple[str, ...]]:
    upload = an_upload(key)
    return why_misplaced(upload), probable_keys(upload, GROUPS)


@pytest.mark.parametrize(
    "name",
    [
        *("a.csv.part", "a.csv.crdownload", "a.csv.filepart", "a.tmp", "a.csv.partial", "A.CSV.PART"),
        *("a.csv._COPYING_", "~$a.xlsx", ".~lock.a.ods#", "a.csv~", ".a.csv.swp", "a.csv.bak"),
        *("Thumbs.db", "desktop.ini", ".DS_Store", "._a.csv", "Icon\r", "_metadata", ".part-0.csv.crc"),
        *("README", "README.txt", "readme.md", "ReadMe_first.docx", "LICENSE", "notes.md"),
        *("a.csv.md5", "a.csv.sha256", "SHA256SUMS", "md5sums.txt", "a.sha512sum", "a.csv.asc"),
        *(".keep", ".gitkeep", "checksums.txt", "CHECKSUM", "a.csv.gstmp", "a.csv.!ut"),
    ],
)
def test_a_name_that_is_never_data_is_ignored_everywhere(name: str) -> None:
    for folder in ("", "g/", "g/training/", "g/training/2026/", "g/inference/", "other/"):
        assert why_ignored_name(f"{folder}{name}")
    assert not is_part_name(name)


@pytest.mark.parametrize(
    "folder", ["__MACOSX", "_temporary", "$RECYCLE.BIN", "@eaDir", ".git", ".ipynb_checkpoints"]
)
def test_what_is_in_a_folder_of_a_system_is_ignored(folder: str) -> None:
    assert why_ignored_name(f"g/training/{folder}/a.csv") == "system_file"
    assert not is_part_name(f"{folder}/a.csv")


@pytest.mark.parametrize(
    "name",
    [
        *("a.csv", "a.csv.gz", "part-00000.csv", "part.csv", "readmissions.csv", "readmeasured.csv"),
        *("a", "tmp.csv", "backup.csv", "A (1).csv", "checksums_of_banks.csv", "license_plates.csv"),
        *("a.parquet", "a.xlsx", "a.zip", "events.log", "a.txt", "apart", "_SUCCESS"),
    ],
)
def test_a_name_of_data_is_not_ignored(name: str) -> None:
    assert why_ignored_name(f"g/training/{name}") is None


def test_every_pattern_says_why() -> None:
    assert len({entry.reason for entry in IGNORED_NAMES}) == len(IGNORED_NAMES)
    assert all(entry.why and entry.patterns for entry in IGNORED_NAMES)
    assert all(pattern == pattern.lower() for entry in IGNORED_NAMES for pattern in entry.patterns)


@pytest.mark.parametrize(
    ("key", "reason", "meant"),
    [
        ("claims-2026/train/x.csv", "outside_training_and_inference", "claims-2026/training/x.csv"),
        ("claims-2026/Training/x.csv", "outside_training_and_inference", "claims-2026/training/x.csv"),
        ("claims-2026/training /x.csv", "outside_training_and_inference", "claims-2026/training/x.csv"),
        ("claims-2026/trainig/x.csv", "outside_training_and_inference", "claims-2026/training/x.csv"),
        ("claims-2026/scoring/x.csv", "outside_training_and_inference", "claims-2026/inference/x.csv"),
        (
            "claims-2026/inferences/may/x.csv",
            "outside_training_and_inference",
            "claims-2026/inference/may/x.csv",
        ),
        ("claims-2026 /training/x.csv", "no_group_name", "claims-2026/training/x.csv"),
        ("claims 2026/training/x.csv", "no_group_name", "claims-2026/training/x.csv"),
        ("claims-2062/train/x.csv", "outside_training_and_inference", "claims-2026/training/x.csv"),
        ("my näme/training/x.csv", "no_group_name", "my-n-me/training/x.csv"),
        ("/claims-2026/training/x.csv", "no_group_name", "claims-2026/training/x.csv"),
        ("claims-2026//training/x.csv", "outside_training_and_inference", "claims-2026/training/x.csv"),
        ("claims-2026/training//x.csv", "folder_without_name", "claims-2026/training/x.csv"),
        ("upload/claims-2026/training/x.csv", "outside_training_and_inference", "claims-2026/training/x.csv"),
        ("training/claims-2026/x.csv", "outside_training_and_inference", "claims-2026/training/x.csv"),
        ("training/x.csv", "outside_training_and_inference", "<group>/training/x.csv"),
        ("claims-2026\\training\\x.csv", "outside_a_group", "claims-2026/training/x.csv"),
        ("claims-2026/training/a\nb.csv", "unusable_name", "claims-2026/training/ab.csv"),
        ("claims-2026/training/../x.csv", "unusable_name", "claims-2026/training/x.csv"),
        ("claims-2026/inference/_SUCCESS", "closes_nothing", "claims-2026/training/<folder>/_SUCCESS"),
        ("claims-2026/training/_SUCCESS", "closes_nothing", "claims-2026/training/<folder>/_SUCCESS"),
        (
            "claims-2026/training/a.manifest.json",
            "closes_nothing",
            "claims-2026/training/<folder>/a.manifest.json",
        ),
        ("_SUCCESS", "outside_a_group", "<group>/training/<folder>/_SUCCESS"),
        ("claims-2026/training/model.toml", "settings_in_a_folder", "claims-2026/model.toml"),
        ("claims-2026/Model.TOML", "settings_in_a_folder", "claims-2026/model.toml"),
        ("model.toml", "outside_a_group", "<group>/model.toml"),
    ],
)
def test_the_place_that_was_meant_is_guessed(key: str, reason: str, meant: str) -> None:
    assert place(key) == (reason, (meant,))
    assert reason in MISPLACED


def test_a_file_that_may_be_for_training_or_scoring_has_two_guesses() -> None:
    meant = ("claims-2026/training/x.csv", "claims-2026/inference/x.csv")
    assert place("claims-2026/x.csv") == ("outside_training_and_inference", meant)
    assert place("x.csv") == ("outside_a_group", ("<group>/training/x.csv", "<group>/inference/x.csv"))
    assert probable_keys(an_upload("x.csv"), ["only"])[0] == "only/training/x.csv"


def test_labels_have_a_folder_of_their_own() -> None:
    assert place("claims-2026/labels/x.csv")[0] is None
    assert place("claims-2026/labels/2026/x.csv")[0] is None
    assert place("claims-2026/outcomes/x.csv") == (
        "outside_training_and_inference",
        ("claims-2026/labels/x.csv",),
    )


@pytest.mark.parametrize(
    "key",
    [
        *("g/training/x.csv", "g/training/f/x.csv", "g/training/f/_SUCCESS", "g/training/f/x.manifest.json"),
        *("g/inference/x.csv", "g/inference/2026/05/x.csv", "g/model.toml"),
    ],
)
def test_a_file_in_its_place_is_used(key: str) -> None:
    assert why_misplaced(an_upload(key)) is None


def test_groups_are_the_same_but_for_case_only_when_they_are() -> None:
    assert same_group("Claims-2026", GROUPS) == "claims-2026"
    assert same_group("claims-2026", GROUPS) is None
    assert same_group("claims-2027", GROUPS) is None


PARTS = (
    *("g", "G ", "training", "train", "inference", "labels", " ", "..", "", "-"),
    *("_SUCCESS", "x.csv", "model.toml", "a\nb"),
)
KEYS = st.one_of(
    st.text(min_size=1, max_size=60),
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=5).map("/".join),
)


@given(KEYS)
def test_every_key_has_one_outcome_and_every_guess_is_a_place_that_is_used(key: str) -> None:
    for guess in probable_keys(an_upload(key), GROUPS):
        meant = an_upload(guess.replace("<group>", "g").replace("<folder>", "f"))
        assert why_misplaced(meant) is None
