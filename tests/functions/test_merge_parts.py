"""The MergeParts function over moto: one dataset and one training, or a refusal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mlops.infrastructure.aws.clients import client
from mlops.models.errors import UploadBusyError
from mlops.models.intake.uploads import Claim
from tests.functions.parts_stage import GROUP, HEADER, ROWS, PartsStage


def test_good_parts_become_one_dataset_and_one_training(parts_stage: PartsStage) -> None:
    event = parts_stage.surveyed(n_parts=3)
    first, second = (parts_stage.call("merge_parts", event, request_id) for request_id in ("1", "2"))
    assert first["received"]["outcome"] == second["received"]["outcome"] == "accepted"
    assert second["received"]["is_repeated"]
    assert parts_stage.trainings() == [first["received"]["work_id"]]
    (dataset,) = parts_stage.versions.list_datasets(GROUP)
    body = client("s3").get_object(Bucket="artifact-bucket", Key=dataset.ref.key)["Body"].read()
    assert body.decode() == "\n".join([HEADER, *ROWS]) + "\n"


def test_a_bad_part_is_refused_and_only_the_closing_file_is_moved(parts_stage: PartsStage) -> None:
    event = parts_stage.surveyed(n_parts=3, canary="old")
    assert parts_stage.call("merge_parts", event)["received"]["outcome"] == "rejected"
    left = client("s3").list_objects_v2(Bucket="data-bucket")["Contents"]
    assert [entry["Key"].rsplit("/", 1)[1] for entry in left] == [f"part-{n:05d}.csv" for n in range(3)]
    kept = [key.rsplit("/", 1)[1] for key in parts_stage.keys("quarantine/")]
    assert kept == ["_SUCCESS", "report.html", "report.json"]
    page = client("s3").get_object(Bucket="artifact-bucket", Key=parts_stage.keys("quarantine/")[1])["Body"]
    assert "part-00002.csv 6" in page.read().decode()


def test_an_upload_that_another_run_holds_is_tried_again_later(parts_stage: PartsStage) -> None:
    event = parts_stage.surveyed(n_parts=3)
    parts_stage.call("merge_parts", event)
    (record,) = parts_stage.versions.list_uploads(GROUP)
    other = Claim("other", datetime.now(UTC) + timedelta(minutes=15))
    held = replace(record.changed(claim=other), state="received")
    assert parts_stage.versions.save_upload(held) == held
    with pytest.raises(UploadBusyError):
        parts_stage.call("merge_parts", event, "2")


def test_parts_with_settings_that_loosen_the_policy_are_refused(parts_stage: PartsStage) -> None:
    parts_stage.drop(f"{GROUP}/model.toml", "[approval]\nautomatic = true\n")
    event = parts_stage.surveyed(n_parts=3)
    received = parts_stage.call("merge_parts", event)["received"]
    assert (received["outcome"], received["reason"]) == ("rejected", "policy")
    assert parts_stage.trainings() == []
