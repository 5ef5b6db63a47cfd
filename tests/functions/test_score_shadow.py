"""The ScoreShadow function over moto: a candidate scores the rows of the champion, and nothing changes."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.models.errors import LedgerError
from mlops.models.objects import Artifact
from mlops.models.registry import Candidate
from mlops.models.scoring.shadow import ShadowAgreement, ShadowPart
from mlops.models.settings.group import GroupSettings
from mlops.models.training import EvaluationMetrics
from tests.functions.scoring_stage import call, scoring_variables

GROUP, CHAMPION, CANDIDATE = "medication-adherence", "v1.0.0", "v1.0.1"


@pytest.fixture
def variables(registry_table: str) -> dict[str, str]:
    return scoring_variables() | {
        "REGISTRY_TABLE_NAME": registry_table,
        "LAMBDA_SCORING_LIMIT_BYTES": "1000000",
    }


@pytest.fixture
def dependencies(variables: dict[str, str]) -> Dependencies:
    return Dependencies("test", variables)


@pytest.fixture
def delivered(scoring_event: dict[str, Any], variables: dict[str, str]) -> dict[str, Any]:
    """The event of a batch that was delivered, with its request beside it."""
    store_request(scoring_event)
    return {"detail": call("run_inference", scoring_event, variables)}


def store_request(request: dict[str, Any]) -> None:
    key = f"{request['folder']}/request.json"
    client("s3").put_object(Bucket="artifact-bucket", Key=key, Body=json.dumps(request).encode())


@pytest.fixture
def wait_for_approval(scoring_event: dict[str, Any], dependencies: Dependencies) -> Callable[..., None]:
    """Registers the champion, and a candidate with the same model that waits for approval."""

    def waiting(**changes: Any) -> None:
        artifact = Artifact.from_dict(scoring_event["model"]["artifact"])
        for version, dataset in ((CHAMPION, "d1"), (CANDIDATE, "d2")):
            model = Candidate("RandomForest", {}, EvaluationMetrics(), dataset, artifact)
            changed = replace(model, **changes) if version == CANDIDATE else model
            assert dependencies.registry.register(GROUP, changed).model.version == version
        dependencies.registry.approve_model(GROUP, CHAMPION)
        dependencies.registry.promote_model(GROUP, CHAMPION)
        dependencies.registry.request_approval(GROUP, CANDIDATE, "hash")

    return waiting


def stored(prefix: str = "") -> dict[str, str]:
    listed = client("s3").list_object_versions(Bucket="artifact-bucket", Prefix=prefix)
    return {entry["VersionId"]: entry["Key"] for entry in listed.get("Versions", [])}


def agreement(dependencies: Dependencies) -> ShadowAgreement | None:
    return dependencies.shadow_archive.agreement(GROUP, CANDIDATE, CHAMPION)


def test_the_waiting_candidate_scores_the_same_rows_once_and_the_batch_stays_as_it_was(
    delivered: dict[str, Any],
    wait_for_approval: Callable[..., None],
    variables: dict[str, str],
    dependencies: Dependencies,
) -> None:
    wait_for_approval()
    before = stored()
    answers = [call("score_shadow", delivered, variables) for _ in range(2)]
    batch_id = delivered["detail"]["batch_id"]
    assert answers[0] == answers[1]
    assert answers[0] == {"group": GROUP, "batch_id": batch_id, "version": CANDIDATE, "n_rows": 247}
    added = {version: key for version, key in stored().items() if version not in before}
    rows_key, document = sorted(added.values(), reverse=True)
    assert document == f"shadow/agreement/{GROUP}/{CANDIDATE}/{batch_id}.json"
    assert rows_key.startswith(f"shadow/rows/model_group={GROUP}/batch_date=")
    assert agreement(dependencies).total == ShadowPart(247, 0, 0.0)  # type: ignore[union-attr]
    body = client("s3").get_object(Bucket="artifact-bucket", Key=rows_key)["Body"].read()
    rows = list(csv.DictReader(gzip.decompress(body).decode().splitlines()))
    assert [set(row) for row in rows[:1]] == [{"batch_id", "row", "shadow_version", "shadow_prediction"}]
    assert (len(rows), rows[0]["batch_id"], rows[0]["shadow_version"]) == (247, batch_id, CANDIDATE)


def test_without_a_candidate_and_with_the_setting_off_nothing_is_stored(
    delivered: dict[str, Any],
    scoring_event: dict[str, Any],
    wait_for_approval: Callable[..., None],
    variables: dict[str, str],
) -> None:
    assert call("score_shadow", delivered, variables)["version"] is None
    wait_for_approval()
    scoring_event["settings"]["scoring"] = {"shadow": False}
    store_request(scoring_event)
    assert call("score_shadow", delivered, variables)["version"] is None
    assert not stored("shadow/")


def test_a_file_that_is_too_large_is_left_out_and_the_page_can_say_so(
    delivered: dict[str, Any],
    wait_for_approval: Callable[..., None],
    variables: dict[str, str],
    dependencies: Dependencies,
) -> None:
    wait_for_approval()
    call("score_shadow", delivered, variables | {"LAMBDA_SCORING_LIMIT_BYTES": "100"})
    assert agreement(dependencies) == ShadowAgreement(skipped={"larger than 100 bytes": 1})


def test_a_candidate_that_cannot_score_the_file_is_an_answer_and_no_error(
    delivered: dict[str, Any],
    scoring_event: dict[str, Any],
    wait_for_approval: Callable[..., None],
    variables: dict[str, str],
    dependencies: Dependencies,
) -> None:
    artifact = Artifact.from_dict(scoring_event["model"]["artifact"])
    wait_for_approval(artifact=replace(artifact, sha256="0" * 64))
    assert call("score_shadow", delivered, variables)["n_rows"] == 0
    (reason,) = agreement(dependencies).skipped  # type: ignore[union-attr]
    assert "digest differs" in reason
    assert not stored("shadow/rows/")


def test_predictions_that_were_replaced_since_are_an_error(
    delivered: dict[str, Any], wait_for_approval: Callable[..., None], variables: dict[str, str]
) -> None:
    wait_for_approval()
    folder = delivered["detail"]["predictions_uri"].removeprefix("s3://artifact-bucket/").rpartition("/")[0]
    key = f"{folder}/manifest.json"
    manifest = json.loads(client("s3").get_object(Bucket="artifact-bucket", Key=key)["Body"].read())
    manifest["files"]["predictions.csv"]["sha256"] = "0" * 64
    client("s3").put_object(Bucket="artifact-bucket", Key=key, Body=json.dumps(manifest).encode())
    with pytest.raises(LedgerError, match="is not the file that the manifest of its batch names"):
        call("score_shadow", delivered, variables)
    assert not stored("shadow/")


def test_the_sample_event_is_one_of_predictions(repository: Path) -> None:
    event = json.loads((repository / "events" / "score_shadow.json").read_text())
    assert event["detail-type"] == "PredictionsReady"


def test_shadow_scoring_is_on_unless_a_team_turns_it_off() -> None:
    assert GroupSettings().scoring.shadow
    assert not GroupSettings.from_toml("[scoring]\nshadow = false").scoring.shadow
