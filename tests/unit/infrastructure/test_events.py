"""Uploads in the events of EventBridge."""

from __future__ import annotations

import pytest

from mlops.infrastructure.upload_events import Upload, parse_s3_event


def an_event(key: str, **entry: object) -> dict:
    return {
        "detail": {"bucket": {"name": "b"}, "object": {"key": key, "size": 3, "version-id": "v1", **entry}}
    }


ODD_KEYS = [
    "g/training/a+b c%20é=.csv",
    "g/training/my file (1).csv",
    "g/training/données_é.csv",
    "g/training/%2B.csv",
]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_keys_are_taken_as_they_are(key: str) -> None:
    assert parse_s3_event(an_event(key)).key == key


@pytest.mark.parametrize(
    ("key", "group", "purpose"),
    [
        ("sales/training/a.csv", "sales", "training"),
        ("sales/inference/2024/a.csv", "sales", "inference"),
        ("sales/labels/a.csv", "sales", "labels"),
        ("sales/model.toml", "sales", None),
        ("sales/training", "sales", None),
        ("a.csv", None, None),
        ("../training/a.csv", None, "training"),
        ("models/model.csv", "models", None),
    ],
)
def test_group_and_purpose_are_the_first_two_folders(
    key: str, group: str | None, purpose: str | None
) -> None:
    upload = parse_s3_event(an_event(key))
    assert (upload.group, upload.purpose) == (group, purpose)


def test_the_work_is_identified_by_bucket_key_and_version_alone() -> None:
    one = Upload("b", "k", "v", 1, "0001")
    assert one.upload_id == Upload("b", "k", "v", 99, "0002").upload_id
    others = {
        Upload("c", "k", "v", 1),
        Upload("b", "l", "v", 1),
        Upload("b", "k", "w", 1),
        Upload("b", "k", None, 1),
    }
    assert one.upload_id not in {other.upload_id for other in others}
    assert len({other.upload_id for other in others}) == 4
