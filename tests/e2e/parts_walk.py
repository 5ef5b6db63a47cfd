"""A folder of parts: refused, mended, accepted, closed once more; and what goes wrong on the way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd

from local.stack import DeployedStack

GROUP = "parts"
FOLDER = f"{GROUP}/training/2026-11"
N_PARTS, BAD_PART, BAD_LINE = 12, 7, 5


@dataclass(frozen=True)
class FolderWalk:
    """Executions and emails of the folder, in the order of its closings."""

    table: pd.DataFrame
    refusal: dict[str, Any]
    refused_states: list[str]
    accepted_states: list[str]
    validations: list[str]
    trainings: list[str]
    duplicate: dict[str, Any]


def walk_folder(stack: DeployedStack, table: pd.DataFrame) -> FolderWalk:
    """Close the folder with a bad part, with the part mended, and again without a change."""
    started = stack.executions("TrainModel")
    stack.drop(b'target = "price"', f"{GROUP}/model.toml")
    size = len(table) // N_PARTS
    parts = [table.iloc[n * size : (n + 1) * size].to_csv(index=False).encode() for n in range(N_PARTS)]
    for number, part in enumerate(parts):
        stack.drop(_spoilt(part) if number == BAD_PART else part, part_key(number))
    refused = close(stack)
    refused_states = stack.finish(refused)
    refusal = stack.wait_for_email(lambda m: m["subject"] == f"[{GROUP}] 2026-11/ was rejected", "refusal")
    stack.drop(parts[BAD_PART], part_key(BAD_PART))
    accepted = close(stack)
    accepted_states = stack.finish(accepted)
    again = close(stack)
    stack.finish(again)
    duplicate = stack.wait_for_email(
        lambda m: m["subject"].startswith(f"[{GROUP}] 2026-11/: trained on before"), "duplicate"
    )
    others = [arn for arn in stack.executions("TrainModel") if arn not in started]
    trainings = [arn for arn in others if is_of_group(stack, arn)]
    return FolderWalk(
        table, refusal, refused_states, accepted_states, [refused, accepted, again], trainings, duplicate
    )


def is_of_group(stack: DeployedStack, execution: str) -> bool:
    """Whether an execution trains the group of the folder."""
    described = stack.cloud.client("stepfunctions").describe_execution(executionArn=execution)
    return bool(json.loads(described["input"])["group"] == GROUP)


def part_key(number: int) -> str:
    """The key of a part."""
    return f"{FOLDER}/part-{number:05d}.csv"


def close(stack: DeployedStack) -> str:
    """Drop `_SUCCESS`, deliver its event a second time, and return the one execution that comes of it."""
    existing = stack.executions("ValidateParts")
    version = stack.drop(b"", f"{FOLDER}/_SUCCESS")
    execution = stack.wait_for_execution("ValidateParts", existing)
    detail = {
        "bucket": {"name": stack.outputs["DataBucketName"]},
        "object": {"key": f"{FOLDER}/_SUCCESS", "version-id": version, "size": 0},
    }
    call(stack, "ReceiveUpload", {"detail": detail})
    return execution


def lose_parts(stack: DeployedStack, validation: str) -> dict[str, Any]:
    """Survey a deleted part, and merge parts without facts; return the result of the merge."""
    upload_id = validation.rsplit(":", 1)[1]
    bucket = stack.outputs["ArtifactBucketName"]
    request = json.loads(stack.read(f"parts/{GROUP}/{upload_id}/request-1.json"))
    place = {"bucket": bucket, "key": f"parts/{GROUP}/{upload_id}/request-1.json"}
    deleted = {
        **request["parts"][0],
        "ref": {"bucket": request["upload"]["bucket"], "key": f"{FOLDER}/deleted.csv"},
    }
    call(stack, "SurveyPart", {"request": place, "part": deleted})
    lost = {"bucket": bucket, "key": f"parts/{GROUP}/lost/request-1.json"}
    request["upload"] |= {"key": f"{FOLDER}/lost/_SUCCESS", "version_id": None}
    stack.cloud.client("s3").put_object(Bucket=bucket, Key=lost["key"], Body=json.dumps(request))
    return call(stack, "MergeParts", {"request": lost})


def fail_validation(stack: DeployedStack) -> str:
    """Start an execution whose upload was damaged on its way; return it when it has ended."""
    execution: str = stack.cloud.client("stepfunctions").start_execution(
        stateMachineArn=stack.outputs["ValidatePartsStateMachineArn"],
        name="damaged-upload",
        input=json.dumps({"group": GROUP, "upload": {"key": "damaged", "odd": 1}}),
    )["executionArn"]
    stack.finish(execution)
    return execution


def call(stack: DeployedStack, function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Invoke a function by its logical name."""
    client = stack.cloud.client("lambda")
    names = [entry["FunctionName"] for entry in client.list_functions()["Functions"]]
    name = next(name for name in names if f"{function}Function" in name)
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event))
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    assert not answer.get("FunctionError"), payload
    return payload


def _spoilt(part: bytes) -> bytes:
    """Give one line of a part a field too many."""
    lines = part.decode().splitlines()
    lines[BAD_LINE - 1] += ",7"
    return ("\n".join(lines) + "\n").encode()
