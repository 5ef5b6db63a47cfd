"""The ListParts function over moto: what it pins for the steps that follow."""

from __future__ import annotations

from mlops.infrastructure.aws.clients import client
from tests.functions.parts_stage import GROUP, PartsStage


def test_every_part_is_listed_in_the_version_that_is_there(parts_stage: PartsStage) -> None:
    listed = parts_stage.call("list_parts", parts_stage.drop_folder(3))
    assert listed["n_parts"] == 3
    parts = parts_stage.read_json(listed["parts"])
    assert [part["name"] for part in parts] == [f"part-{n:05d}.csv" for n in range(3)]
    for part in parts:
        head = client("s3").head_object(Bucket="data-bucket", Key=part["ref"]["key"])
        assert part["ref"]["version_id"] == head["VersionId"]
    request = parts_stage.read_json(listed["request"])
    assert request["agreement"]["names"] == ["patient_id", "age", "plan", "offtrt"]


def test_a_folder_that_cannot_be_used_is_a_result(parts_stage: PartsStage) -> None:
    event = parts_stage.event("list_parts")
    event["upload"] = parts_stage.drop(f"{GROUP}/training/2026-11/_SUCCESS").to_dict()
    listed = parts_stage.call("list_parts", event)
    assert listed["n_parts"] == 0
    (problem,) = parts_stage.read_json(listed["request"])["problems"]
    assert "has no parts" in problem["message"]
