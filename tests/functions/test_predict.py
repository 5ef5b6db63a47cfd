"""The Predict function over moto: the sample event, errors in requests, and what the queue gets."""

from __future__ import annotations

import csv
import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from functions.predict import app
from functions.record_requests import app as record_requests
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.ledger.reading import FolderEngine, Predictions
from mlops.ledger.sql import Selection
from mlops.models.objects import Artifact
from mlops.models.registry import Candidate, ModelMetadata
from mlops.models.scoring.answer import MAX_REQUEST_BYTES, MAX_ROW_BYTES
from mlops.models.settings.group import GroupSettings
from mlops.models.training import EvaluationMetrics
from mlops.pipelines.artifacts.archive import pack, sha256_of
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline
from mlops.use_cases.predict.http import answer_request
from mlops.use_cases.predict.predict import Predictor

GROUP = "medication-adherence"
BUCKET = "artifact-bucket"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CONTEXT = SimpleNamespace(
    function_name="predict",
    function_version="1",
    memory_limit_in_mb=3008,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:predict",
    aws_request_id="1",
)


class NoChampions:
    """A registry without a model in service."""

    def champion(self, group: str) -> ModelMetadata | None:
        return None


def unexpected(argument: object) -> NoReturn:
    raise AssertionError(f"Nothing may be loaded or sent, but was: {argument}")


PREDICTOR_WITHOUT_MODELS = Predictor(NoChampions(), unexpected, unexpected, lambda: NOW, unexpected)


@pytest.fixture(scope="module")
def model(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    example = repository / "examples" / GROUP
    settings = GroupSettings.from_toml((example / "model.toml").read_text())
    TrainingPipeline(settings).execute(example / "train.csv", folder / "model")
    pack(folder / "model", folder / "model.tar.gz")
    return folder


@pytest.fixture
def dependencies(registry_table: str, model: Path) -> Dependencies:
    """The parts of the function, with a champion in the registry."""
    client("s3").create_bucket(Bucket=BUCKET)
    variables = {
        "ARTIFACT_BUCKET_NAME": BUCKET,
        "REGISTRY_TABLE_NAME": registry_table,
        "REQUEST_QUEUE_URL": client("sqs").create_queue(QueueName="requests")["QueueUrl"],
    }
    parts = Dependencies("predict", variables, now=lambda: NOW)
    promote(parts, (model / "model.tar.gz").read_bytes(), sha256_of(model / "model.tar.gz"))
    return parts


def promote(parts: Dependencies, archive: bytes, digest: str) -> None:
    """Make an archive the champion."""
    key = f"training/{GROUP}/{digest[:8]}/model.tar.gz"
    client("s3").put_object(Bucket=BUCKET, Key=key, Body=archive)
    artifact = Artifact(f"s3://{BUCKET}/{key}", digest)
    candidate = Candidate("LogisticRegression", {}, EvaluationMetrics(), "d1", artifact)
    version = parts.registry.register(GROUP, candidate).model.version
    parts.registry.approve_model(GROUP, version, reason="It is good.")
    parts.registry.promote_model(GROUP, version, reason="It is good.")


@pytest.fixture
def event(repository: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((repository / "events" / "predict.json").read_text())
    return document


@pytest.fixture
def post(event: dict[str, Any], dependencies: Dependencies) -> Callable[..., tuple[int, dict[str, Any]]]:
    def send(body: str | None = None, group: str = GROUP) -> tuple[int, dict[str, Any]]:
        changes = {"pathParameters": {"group": group}} | ({} if body is None else {"body": body})
        answer = app.handler({**event, **changes}, CONTEXT, dependencies)
        assert answer["headers"]["Content-Type"] == "application/json"
        return answer["statusCode"], json.loads(answer["body"])

    return send


def messages(dependencies: Dependencies) -> list[dict[str, Any]]:
    """What is in the queue, as Lambda hands it to a function."""
    url = dependencies.variables["REQUEST_QUEUE_URL"]
    answer = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [{"messageId": m["MessageId"], "body": m["Body"]} for m in answer.get("Messages", [])]


def test_the_rows_of_the_event_are_predicted_as_in_a_file(
    post, event: dict[str, Any], model: Path, repository: Path, tmp_path: Path
) -> None:
    status, answer = post()
    assert status == 200
    assert (answer["request_id"], answer["group"]) == ("JKJaXmPLvHcESHA=", GROUP)
    assert answer["model_version"] == "v1.0.0"
    first, second = answer["predictions"]
    InferencePipeline(model / "model").execute(repository / "examples" / GROUP / "score.csv", tmp_path)
    with (tmp_path / "predictions.csv").open(newline="") as stream:
        expected = next(csv.DictReader(stream))
    assert first["patient_id"] == expected["patient_id"]
    assert first["prediction"] == expected["prediction"]
    assert first["probability_1"] == float(expected["probability_1"])
    assert (second["row"], second["row_status"]) == (2, "scored")
    assert len(second["reasons"]) == 3


def test_a_body_in_base64_is_the_same_request(
    event: dict[str, Any], dependencies: Dependencies, post
) -> None:
    coded = {**event, "body": b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}
    assert json.loads(app.handler(coded, CONTEXT, dependencies)["body"]) == post()[1]


def test_the_model_stays_loaded_until_there_is_another_champion(
    post, dependencies: Dependencies, model: Path, tmp_path: Path
) -> None:
    post()
    client("s3").delete_object(
        Bucket=BUCKET, Key=f"training/{GROUP}/{sha256_of(model / 'model.tar.gz')[:8]}/model.tar.gz"
    )
    assert post()[0] == 200
    (tmp_path / "model").mkdir()
    for file in (model / "model").iterdir():
        (tmp_path / "model" / file.name).write_bytes(file.read_bytes())
    pack(tmp_path / "model", tmp_path / "model.tar.gz")
    archive = (tmp_path / "model.tar.gz").read_bytes() + b"\0"
    (tmp_path / "model.tar.gz").write_bytes(archive)
    promote(dependencies, archive, sha256_of(tmp_path / "model.tar.gz"))
    assert post()[1]["model_version"] == "v1.0.1"


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ("", 400, "The body is not JSON"),
        ("[1, 2]", 400, 'Send {"rows": [{"column": value, ...}, ...]}'),
        ('{"rows": [], "more": 1}', 400, "does not have the form of a request"),
        ('{"rows": 1}', 400, "does not have the form of a request"),
        ('{"rows": [{}], "reasons": 1}', 400, "does not have the form of a request"),
        ('{"rows": [{}], "record": "no"}', 400, "does not have the form of a request"),
        ('{"rows": []}', 400, "The request has 0 rows; from 1 to 1,000 are possible"),
        (json.dumps({"rows": [{}] * 1_001}), 400, "The request has 1,001 rows"),
        ('{"rows": [{"age": 3}, 7]}', 400, "Row 2 is not an object"),
        ('{"rows": [{"age": 3, "age": 4}]}', 400, "an object has 'age' twice"),
        ('{"rows": [{"age": NaN}]}', 400, "NaN is not a JSON number"),
        ('{"rows": [{"age": "\\ud800"}]}', 400, "not text in UTF-8"),
        (json.dumps({"rows": [{"age": "x" * (MAX_ROW_BYTES + 1)}]}), 413, "Row 1 has 60,001 bytes"),
        (" " * (MAX_REQUEST_BYTES + 1), 413, "at most 4,500,000 are possible"),
    ],
)  # fmt: skip
def test_an_error_in_a_body_is_a_status_and_a_sentence(
    event: dict[str, Any], body: str, status: int, sentence: str
) -> None:
    answer = answer_request({**event, "body": body}, PREDICTOR_WITHOUT_MODELS)
    document = json.loads(answer["body"])
    assert answer["statusCode"] == status
    assert sentence in document["message"]
    assert document["request_id"] == "JKJaXmPLvHcESHA="


def test_a_value_that_is_no_cell_is_named_by_row_and_column(
    post, event: dict[str, Any], dependencies: Dependencies
) -> None:
    rows = json.loads(event["body"])["rows"]
    rows[1]["age"] = {"years": 30}
    status, answer = post(json.dumps({"rows": rows}))
    assert status == 400
    assert answer["message"].startswith("Row 2, column age: a value must be a text, a finite number")
    assert messages(dependencies) == []


def test_a_group_without_a_champion_is_not_found(post) -> None:
    status, answer = post(group="unknown")
    assert status == 404
    assert "does not exist or has no model in service" in answer["message"]
    for group in ("../secret", "", "x" * 3_000):
        status, answer = post(group=group)
        assert status == 404
        assert "cannot name a model group" in answer["message"]


def test_a_model_that_is_not_the_registered_one_is_unavailable(post, dependencies: Dependencies) -> None:
    promote(dependencies, b"another archive", "0" * 64)
    status, answer = post()
    assert status == 503
    assert "is not the registered model" in answer["message"]


def test_no_value_of_a_row_is_logged(post, event: dict[str, Any], capsys, caplog) -> None:
    rows = json.loads(event["body"])["rows"]
    rows[0] |= {"patient_id": "SECRET-1", "race": "SECRET-2"}
    assert post(json.dumps({"rows": rows}))[0] == 200
    rows[0]["age"] = ["SECRET-3"]
    assert post(json.dumps({"rows": rows}))[0] == 400
    assert [record.message for record in caplog.records].count("request answered") == 2
    written = capsys.readouterr()  # and the fields of a record, which its text does not show
    assert "SECRET" not in written.out + written.err + repr([vars(record) for record in caplog.records])


def test_predictions_get_into_the_ledger_through_the_queue_once(
    post, event: dict[str, Any], dependencies: Dependencies, tmp_path: Path
) -> None:
    one = json.loads(event["body"])["rows"][0]
    rows = [{**one, "patient_id": f"{number:05d}" + "x" * 1_000} for number in range(1_000)]
    status, answer = post(json.dumps({"rows": rows, "reasons": True}))
    assert status == 200
    received = messages(dependencies)
    assert len(received) > 1
    assert max(len(message["body"].encode()) for message in received) < 256 * 1024
    recorder = Dependencies("record_requests", dependencies.variables, now=lambda: NOW)
    for batch in (received, received[:1]):
        failed = record_requests.handler({"Records": batch}, CONTEXT, recorder)
        assert failed == {"batchItemFailures": []}
    download_ledger(tmp_path)
    selected = Predictions(recorder.ledger.batches, FolderEngine(tmp_path)).select(Selection(GROUP)).records()
    assert [row["row"] for row in selected] == list(range(1, 1_001))
    for name in ("patient_id", "prediction", "probability_0", "row_status", "model_version"):
        assert [row[name] for row in selected] == [row[name] for row in answer["predictions"]]
    assert {(row["batch_id"], row["file"]) for row in selected} == {("request-JKJaXmPLvHcESHA=", "request")}
    assert {row["scored_at"] for row in selected} == {NOW.replace(tzinfo=None)}


def test_predictions_of_what_if_questions_are_answered_and_not_recorded(
    post, event: dict[str, Any], dependencies: Dependencies
) -> None:
    rows = json.loads(event["body"])["rows"]
    status, answer = post(json.dumps({"rows": rows, "record": False}))
    assert (status, len(answer["predictions"])) == (200, len(rows))
    assert messages(dependencies) == []


def download_ledger(folder: Path) -> None:
    for stored in client("s3").list_objects_v2(Bucket=BUCKET, Prefix="ledger/")["Contents"]:
        path = folder / stored["Key"].removeprefix("ledger/")
        path.parent.mkdir(parents=True, exist_ok=True)
        client("s3").download_file(BUCKET, stored["Key"], str(path))
