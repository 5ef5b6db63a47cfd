"""The function that cuts a large file into ranges, on moto."""

from __future__ import annotations

import gzip

from mlops.infrastructure.aws.clients import client


def test_list_ranges_covers_the_rows_of_the_file_without_a_gap(ranges_stage):
    listed, ranges = ranges_stage.list()
    upload = ranges_stage.request["upload"]
    body = client("s3").get_object(Bucket="data-bucket", Key=upload["key"])["Body"].read()
    assert listed["n_ranges"] == len(ranges) > 2
    assert ranges[0]["start_byte"] == body.index(b"\n") + 1
    assert ranges[-1]["stop_byte"] == len(body)
    assert [r["stop_byte"] for r in ranges[:-1]] == [r["start_byte"] for r in ranges[1:]]


def test_list_ranges_lists_none_for_a_compressed_file(ranges_stage):
    upload, s3 = ranges_stage.request["upload"], client("s3")
    body = s3.get_object(Bucket="data-bucket", Key=upload["key"])["Body"].read()
    stored = s3.put_object(Bucket="data-bucket", Key=upload["key"], Body=gzip.compress(body))
    upload["version_id"] = stored["VersionId"]
    assert ranges_stage.call("list_ranges", ranges_stage.request) == {"n_ranges": 0}
    assert ranges_stage.versions("parts/") == []
