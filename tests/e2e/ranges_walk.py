"""Ranges of files that no walk of a whole file reaches: of a converted file, and of a deleted one."""

from __future__ import annotations

import json
from typing import Any

from local.stack import DeployedStack
from tests.e2e.faults import error_of
from tests.e2e.parts_walk import call
from tests.e2e.walks import Walk


def score_converted_file(stack: DeployedStack, converted: Walk) -> dict[str, Any]:
    """List the ranges of a file that was converted, and score the first; return which one it was."""
    listed = call(stack, "ListRanges", request_of(stack, converted))
    ranges = json.loads(stack.read(listed["ranges"]["key"]))
    return call(stack, "ScoreRange", {"request": listed["request"], "range": ranges[0]})


def score_deleted_file(stack: DeployedStack, in_ranges: Walk) -> set[str]:
    """List and score the ranges of a file that is not there; return the names of the errors."""
    request = request_of(stack, in_ranges)
    stored = json.loads(stack.read(f"parts/{request['group']}/{request['batch_id']}/request.json"))
    for document in (request, stored["scoring"]):
        document["upload"] |= {"key": f"{request['group']}/inference/deleted.csv", "version_id": None}
    bucket, key = stack.outputs["ArtifactBucketName"], f"parts/{request['group']}/lost/request.json"
    stack.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(stored))
    item = {"request": {"bucket": bucket, "key": key}, "range": stored["plan"]["ranges"][0]}
    return {error_of(stack, "ListRanges", request), error_of(stack, "ScoreRange", item)}


def request_of(stack: DeployedStack, batch: Walk) -> dict[str, Any]:
    """Return what the execution of a batch was started with."""
    described = stack.cloud.client("stepfunctions").describe_execution(executionArn=batch.arn)
    document: dict[str, Any] = json.loads(described["input"])
    return document
