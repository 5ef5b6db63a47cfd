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
    cost = {"cost_usd": None}
    assert ranges_stage.call("run_inference", ranges_stage.request) | cost == merged | cost
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


def test_the_cost_of_a_file_is_that_of_all_its_ranges(ranges_stage):
    merged = ranges_stage.score()
    request = ranges_stage.request
    folder = f"parts/{request['group']}/{request['batch_id']}"
    keys = {version["Key"] for version in ranges_stage.versions(f"{folder}/ranges/")}
    costs = [json.loads(ranges_stage.read(key)) for key in sorted(keys) if key.endswith(".cost.json")]
    listing = json.loads(ranges_stage.read(f"{folder}/request.json"))["cost_usd"]
    assert len(costs) > 1
    assert min(listing, *costs) > 0
    assert merged["cost_usd"] > listing + sum(costs)


def test_without_the_cost_of_one_range_that_of_the_file_is_not_known(ranges_stage):
    listed, ranges = ranges_stage.list()
    for row_range in ranges:
        ranges_stage.call("score_range", {"request": listed["request"], "range": row_range})
    key = listed["request"]["key"].replace("request.json", "ranges/00000.cost.json")
    client("s3").delete_object(Bucket="artifact-bucket", Key=key)
    assert ranges_stage.call("merge_ranges", {"request": listed["request"]})["cost_usd"] is None


def test_a_range_that_was_not_scored_leaves_no_batch(ranges_stage):
    listed, ranges = ranges_stage.list()
    ranges_stage.call("score_range", {"request": listed["request"], "range": ranges[0]})
    with pytest.raises(ObjectNotFoundError, match="00001"):
        ranges_stage.call("merge_ranges", {"request": listed["request"]})
    assert ranges_stage.versions("predictions/") == []
