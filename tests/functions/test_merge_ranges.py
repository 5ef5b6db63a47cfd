"""The function that merges ranges into one batch, on moto, beside the one that scores the file at once."""

from __future__ import annotations

import json

import pytest

from mlops.infrastructure.aws.clients import client
from mlops.models.errors import ObjectNotFoundError

NAMES = ("predictions.csv", "data_quality.json", "batch_profile.json", "manifest.json")


def test_a_file_scored_in_ranges_is_one_batch_with_the_bytes_of_the_file_scored_at_once(ranges_stage):
    merged = ranges_stage.score()
    folder = ranges_stage.request["folder"]
    in_ranges = {name: ranges_stage.read(f"{folder}/{name}") for name in NAMES}
    client("s3").delete_object(Bucket="artifact-bucket", Key=f"{folder}/manifest.json")
    assert ranges_stage.call("run_inference", ranges_stage.request) == merged
    at_once = {name: ranges_stage.read(f"{folder}/{name}") for name in NAMES}
    engines = [json.loads(files.pop("manifest.json"))["engine"] for files in (in_ranges, at_once)]
    assert engines == ["map", "lambda"]
    assert in_ranges == at_once


def test_a_merge_that_is_repeated_stores_nothing_again(ranges_stage):
    first = ranges_stage.score()
    before = ranges_stage.versions("predictions/")
    request = ranges_stage.request
    place = {
        "bucket": "artifact-bucket",
        "key": f"parts/{request['group']}/{request['batch_id']}/request.json",
    }
    assert ranges_stage.call("merge_ranges", {"request": place}) == first
    assert ranges_stage.versions("predictions/") == before


def test_a_range_that_was_not_scored_leaves_no_batch(ranges_stage):
    listed, ranges = ranges_stage.list()
    ranges_stage.call("score_range", {"request": listed["request"], "range": ranges[0]})
    with pytest.raises(ObjectNotFoundError, match="00001"):
        ranges_stage.call("merge_ranges", {"request": listed["request"]})
    assert ranges_stage.versions("predictions/") == []
