"""Rows are predicted at once: here on plain files, and by the signed API of a stack."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import mlops
from mlops.cli.main import main
from mlops.context.connection import Connection
from mlops.context.frame_rows import rows_of_frame
from mlops.context.stack import StackContext
from mlops.models.errors import ArtifactError, ModelNotFoundError, RequestError, ScoringError
from mlops.models.training import EvaluationMetrics
from mlops.pipelines.training_pipeline import TrainingPipeline
from mlops.registry.model_registry import ModelRegistry

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "predict-api.md"
GROUP = "houses"
ROWS = [{"id": "07", "area": 80, "city": "Oslo"}, {"id": "08", "area": None, "city": "Rome"}]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plain files with a champion that predicts prices."""
    folder, rng = tmp_path_factory.mktemp("houses"), np.random.default_rng(0)
    area, city = rng.uniform(40, 160, 200).round(), rng.choice(["Oslo", "Rome"], 200)
    price = 2.0 * area + 50 * (city == "Oslo") + rng.normal(0, 5, 200)
    ids = [f"{number:03d}" for number in range(200)]
    table = pd.DataFrame({"id": ids, "area": area, "city": city, "price": price.round(2)})
    TrainingPipeline({"target": "price", "id_columns": ["id"], "algorithm": "Ridge"}).execute(
        table, folder / "model"
    )
    registry = ModelRegistry(root=folder / "model-registry", actor="ada")
    model = registry.register_model(GROUP, folder / "model", EvaluationMetrics(), {}, "d1", "Ridge")
    registry.approve_model(GROUP, model.version, reason="It is good.")
    registry.promote_model(GROUP, model.version, reason="It is good.")
    return folder


def test_rows_are_predicted_by_the_champion_of_plain_files(root: Path) -> None:
    answer = mlops.connect(root).group(GROUP).predict(ROWS, reasons=True)
    assert answer["id"].tolist() == ["07", "08"]
    assert answer["prediction"][0] == pytest.approx(210, abs=15)
    assert answer["row_status"].tolist() == ["scored", "scored"]
    assert answer["model_version"].tolist() == ["v1.0.0", "v1.0.0"]
    assert {reason["column"] for reason in answer["reasons"][0]} == {"area", "city"}


def test_a_frame_has_the_same_predictions_as_its_rows(root: Path) -> None:
    houses = mlops.connect(root).group(GROUP)
    frame = pd.DataFrame({"id": ["07", "08"], "area": [80, np.nan], "city": ["Oslo", "Rome"]})
    pd.testing.assert_frame_equal(houses.predict(frame), houses.predict(ROWS))


def test_a_group_without_a_champion_has_no_predictions(root: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="has no model in service"):
        mlops.connect(root).group("lots").predict(ROWS)


def test_a_model_that_was_changed_is_not_loaded(root: Path, tmp_path: Path) -> None:
    registry = ModelRegistry(root=tmp_path / "model-registry", actor="ada")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "file").write_text("as registered")
    registry.register_model(GROUP, tmp_path / "model", EvaluationMetrics(), {}, "d1", "Ridge")
    registry.approve_model(GROUP, "v1.0.0", reason="It is good.")
    registry.promote_model(GROUP, "v1.0.0", reason="It is good.")
    (tmp_path / "model" / "file").write_text("changed")
    with pytest.raises(ArtifactError, match="is not the registered model"):
        mlops.connect(tmp_path).group(GROUP).predict(ROWS)


def test_values_of_a_frame_are_values_of_json() -> None:
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None], "Int64"),
            "decimal": [0.5, np.nan],
            "truth": [np.True_, None],
            "day": pd.to_datetime(["2024-02-29", None]),
            "moment": pd.to_datetime(["2024-02-29 13:45", None]),
            "date": [date(2024, 2, 29), None],
            "level": pd.Categorical(["a", None]),
            7: ["x", ""],
        }
    )
    first, second = json.loads(json.dumps(rows_of_frame(frame), allow_nan=False))
    assert first == {
        "whole": 1, "decimal": 0.5, "truth": True, "day": "2024-02-29", "moment": "2024-02-29 13:45:00",
        "date": "2024-02-29", "level": "a", "7": "x",
    }  # fmt: skip
    assert second == dict.fromkeys(first) | {"7": ""}


# ── The command ──────────────────────────────────────


@pytest.mark.parametrize("form", ["array", "object", "row"])
def test_the_command_predicts_rows_of_a_file_or_of_its_arguments(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    file = tmp_path / "rows.json"
    file.write_text(json.dumps({"rows": ROWS} if form == "object" else ROWS))
    named = [f"--row={json.dumps(row)}" for row in ROWS] if form == "row" else ["--rows", str(file)]
    assert main(["predict", GROUP, "--root", str(root), "--csv", *named]) == 0
    header, first, _ = capsys.readouterr().out.splitlines()
    assert header == "row,id,prediction,interval_low,interval_high,row_status,model_version"
    assert first.startswith("1,07,2")
    assert main(["predict", GROUP, "--root", str(root), "--json", "--reasons", *named]) == 0
    assert [row["id"] for row in json.loads(capsys.readouterr().out)["predictions"]] == ["07", "08"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--row", "{"], "--row is not JSON"),
        (["--row", "[]"], "Row 1 is not an object"),
        (["--row", '{"area": 1}'], "lack columns that the model needs: city"),
    ],
)
def test_the_command_says_what_is_wrong_with_rows(
    root: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert main(["predict", GROUP, "--root", str(root), *words]) == 2
    assert sentence in capsys.readouterr().err


# ── The API ──────────────────────────────────────────


@dataclass
class Api:
    """An API on this machine: what it was sent, and what it answers."""

    port: int = 0
    status: int = 200
    answer: Any = None
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    state = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append((self.path, dict(self.headers), body))
            self.send_response(state.status)
            self.end_headers()
            self.wfile.write(json.dumps(state.answer).encode())

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def predict(api: Api) -> pd.DataFrame:
    context = StackContext({"PREDICT_URL": f"http://abc.execute-api.localhost:{api.port}"})
    return Connection(context).group("my group").predict(ROWS)


def test_a_request_to_the_api_is_signed_and_its_answer_is_a_frame(api: Api) -> None:
    predictions = [{"row": 1, "prediction": 2.5}, {"row": 2, "prediction": None}]
    api.answer = {
        "request_id": "r",
        "group": "my group",
        "model_version": "v2.0.0",
        "predictions": predictions,
    }
    assert predict(api)["row"].tolist() == [1, 2]
    ((path, headers, body),) = api.requests
    assert path == "/groups/my%20group/predict"
    assert headers["Host"] == f"abc.execute-api.localhost:{api.port}"
    assert "/eu-west-1/execute-api/aws4_request" in headers["Authorization"]
    assert "host" in headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert json.loads(body) == {"rows": ROWS, "reasons": False, "record": True}
    assert is_signed_rightly(path, headers, body)


def is_signed_rightly(path: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether the signature of a request is the one that botocore makes of it as it has arrived."""
    received = {name.lower(): value for name, value in headers.items()}
    _, _, rest = received["authorization"].partition("SignedHeaders=")
    names, _, signature = rest.replace(" ", "").partition(",Signature=")
    signed = {name: received[name] for name in names.split(";")}
    request = AWSRequest("POST", f"http://{received['host']}{path}", headers=signed, data=body)
    request.context["timestamp"] = received["x-amz-date"]
    signer = SigV4Auth(Credentials("testing", "testing"), "execute-api", "eu-west-1")
    expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return expected == signature


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("token", ["", "a+token/=="])
def test_curl_calls_the_api_as_the_documentation_says(api: Api, tmp_path: Path, token: str) -> None:
    (command,) = re.findall(r"^curl .*$", PAGE.read_text(), re.MULTILINE)
    (tmp_path / "rows.json").write_text(json.dumps({"rows": ROWS}))
    url = f"http://abc.execute-api.localhost:{api.port}"
    variables = {"AWS_REGION": "eu-west-1", "AWS_SESSION_TOKEN": token, "PREDICT_URL": url}
    done = subprocess.run(command, shell=True, cwd=tmp_path, env={**os.environ, **variables}, check=True)
    assert done.returncode == 0
    ((path, headers, body),) = api.requests
    assert path == "/groups/medication-adherence/predict"
    assert json.loads(body) == {"rows": ROWS}
    assert is_signed_rightly(path, headers, body)
    assert headers.get("x-amz-security-token", "") == token


@pytest.mark.parametrize(
    ("status", "answer", "error", "sentence"),
    [
        (400, {"message": "Row 1, column area: no."}, RequestError, "^Row 1, column area: no.$"),
        (404, {"message": "The group has no model."}, ModelNotFoundError, "^The group has no model.$"),
        (403, {"message": "Forbidden"}, ScoringError, "403: Forbidden. Attach the policy"),
        (429, {"message": "Too Many Requests"}, ScoringError, "try again later"),
        (502, "?", ScoringError, "502: no reason was given"),
    ],
)
def test_what_the_api_refuses_is_an_error_with_its_sentence(
    api: Api, status: int, answer: Any, error: type[Exception], sentence: str
) -> None:
    api.status, api.answer = status, answer
    with pytest.raises(error, match=sentence):
        predict(api)
