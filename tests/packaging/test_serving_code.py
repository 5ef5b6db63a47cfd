"""A model archive under the real `sagemaker-inference` toolkit, in an environment without the library.

The environment has the packages of SageMaker's scikit-learn image; what the archive needs beside them is in
the archive.
"""

from __future__ import annotations

import csv
import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlops.models.settings.group import GroupSettings
from mlops.pipelines.artifacts.archive import pack, unpack
from mlops.pipelines.artifacts.serving_code import add_serving_code
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline
from tests.packaging.environments import REPOSITORY, install, run

pytestmark = pytest.mark.packaging

EXAMPLE = REPOSITORY / "examples" / "medication-adherence"
OF_THE_IMAGE = ["numpy", "pandas", "scikit-learn", "scipy"]
JSON, CSV = "application/json", "text/csv"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of an environment with the toolkit and the packages of the image."""
    lock = ["--constraint", str(REPOSITORY / "requirements.lock")]
    requirements = [*lock, "sagemaker-inference==1.10.1", *OF_THE_IMAGE]
    return str(
        install(tmp_path_factory.mktemp("serving") / "environment", sys.executable, requirements) / "python"
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The training source as the layer has it, with its wheels."""
    folder = tmp_path_factory.mktemp("source")
    run(["make", "build-TrainingSourceLayer", f"ARTIFACTS_DIR={folder}"], REPOSITORY / "layers")
    return folder / "training"


def trained(algorithm: str, source: Path, folder: Path) -> Path:
    """A model directory that was packed and unpacked, with serving code."""
    stated = (EXAMPLE / "model.toml").read_text(encoding="utf-8").partition("algorithm =")[0]
    settings = GroupSettings.from_toml(f'{stated}algorithm = "{algorithm}"\n')
    TrainingPipeline(settings).execute(EXAMPLE / "train.csv", folder / "trained")
    add_serving_code(source, folder / "trained")
    pack(folder / "trained", folder / "model.tar.gz")
    unpack(folder / "model.tar.gz", folder / "model")
    return folder / "model"


def served(python: str, model: Path, requests: list[tuple[str, str, str]]) -> list[Any]:
    """Return status, content type and text of each answer to (content type, accepted type, body)."""
    path = model.parent / "requests.json"
    names = ("content_type", "accept", "body")
    path.write_text(json.dumps([dict(zip(names, request, strict=True)) for request in requests]))
    program = Path(__file__).with_name("serve_rows.py")
    printed = run([python, str(program), str(model), str(path)], model.parent)
    answers: list[Any] = json.loads(printed.splitlines()[-1])
    return answers


@pytest.mark.parametrize("algorithm", ["LogisticRegression", "XGBoost"])
def test_an_archive_answers_like_the_library(
    algorithm: str, python: str, source: Path, tmp_path: Path
) -> None:
    model = trained(algorithm, source, tmp_path)
    text = (EXAMPLE / "score.csv").read_text(encoding="utf-8")
    rows = pd.read_csv(StringIO(text), dtype={"patient_id": str}).head(5)
    documents = [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in rows.to_dict("records")
    ]
    documents[1]["age"] = "forty"
    body = json.dumps({"rows": documents}, default=float)
    as_json, as_csv, no_rows, unknown = served(
        python,
        model,
        [(JSON, JSON, body), (CSV, CSV, text), (JSON, JSON, '{"rows": []}'), ("image/png", JSON, "x")],
    )

    expected = InferencePipeline(tmp_path / "trained").predict(json.loads(body)["rows"]).documents()
    assert as_json[:2] == [200, JSON]
    assert json.loads(as_json[2]) == {"model_version": "unregistered", "predictions": expected}
    assert [row["row_status"] for row in expected[:3]] == ["scored", "unreadable:age", "scored"]

    InferencePipeline(tmp_path / "trained").execute(EXAMPLE / "score.csv", tmp_path / "scored")
    in_file = (tmp_path / "scored" / "predictions.csv").read_text(encoding="utf-8")
    assert as_csv[:2] == [200, CSV]
    assert list(csv.reader(StringIO(as_csv[2]))) == list(csv.reader(StringIO(in_file)))

    assert no_rows[0] == unknown[0] == 400
    assert "from 1 to 1,000 are possible" in no_rows[2]
    assert "send application/json or text/csv" in unknown[2]


def test_only_a_model_of_xgboost_carries_xgboost(source: Path, tmp_path: Path) -> None:
    sizes = {}
    for algorithm in ("LogisticRegression", "XGBoost"):
        (tmp_path / algorithm).mkdir()
        model = trained(algorithm, source, tmp_path / algorithm)
        sizes[algorithm] = (model / "code" / "packages.zip").stat().st_size
    assert sizes["LogisticRegression"] < 4_000_000 < sizes["XGBoost"] < 11_000_000
