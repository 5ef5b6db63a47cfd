"""The wheel in an environment with its requirements only: no boto3, no XGBoost, no source."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import mlops
from tests.packaging.environments import REPOSITORY, build_wheel, install, run

pytestmark = pytest.mark.packaging

EXAMPLE = REPOSITORY / "examples" / "medication-adherence"
NAMES = [
    "DriftDetector",
    "InferencePipeline",
    "ModelRegistry",
    "TrainingPipeline",
    "__version__",
    "connect",
    "detect_drift",
    "train",
    "validate",
]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel, at the versions of the lock."""
    folder = tmp_path_factory.mktemp("wheel")
    wheel = build_wheel(folder)
    lock = ["--constraint", str(REPOSITORY / "requirements.lock")]
    return install(folder / "environment", sys.executable, [*lock, str(wheel)])


def test_the_public_names_are_imported_and_listed(programs: Path, tmp_path: Path) -> None:
    code = "from mlops import TrainingPipeline, InferencePipeline, DriftDetector, ModelRegistry, validate\n"
    code += "import mlops; print(mlops.__file__); print(dir(mlops))"
    origin, names = run([str(programs / "python"), "-W", "error", "-c", code], tmp_path).splitlines()
    assert Path(origin).is_relative_to(programs.parent)
    assert names == str(NAMES)


def test_the_command_says_its_version_and_helps(programs: Path, tmp_path: Path) -> None:
    assert run([str(programs / "mlops"), "--version"], tmp_path) == f"mlops {mlops.__version__}\n"
    assert "usage: mlops" in run([str(programs / "mlops"), "--help"], tmp_path)


def test_plain_files_are_validated_trained_on_scored_and_compared(programs: Path, tmp_path: Path) -> None:
    command, settings = str(programs / "mlops"), ["--settings", str(EXAMPLE / "model.toml")]
    assert "accept" in run([command, "validate", str(EXAMPLE / "train.csv"), *settings], tmp_path).lower()
    run([command, "train", str(EXAMPLE / "train.csv"), "--output", "model", *settings], tmp_path)
    run([command, "score", "model", str(EXAMPLE / "score.csv"), "--output", "scored"], tmp_path)
    lines = (tmp_path / "scored" / "predictions.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len((EXAMPLE / "score.csv").read_text(encoding="utf-8").splitlines())
    run([command, "drift", "model", str(EXAMPLE / "score.csv")], tmp_path)
    run([command, "drift", "model", str(EXAMPLE / "score_drifted.csv")], tmp_path, expected_code=3)


def test_what_needs_an_extra_names_it(programs: Path, tmp_path: Path) -> None:
    code = "import mlops; mlops.ModelRegistry(use_dynamodb=True)"
    message = run([str(programs / "python"), "-c", code], tmp_path, expected_code=1)
    assert (
        "MissingPackageError: boto3 is not installed: install serverless-mlops with its extra 'aws'"
        in message
    )
    message = run([str(programs / "mlops"), "groups", "--stack", "production"], tmp_path, expected_code=2)
    assert "install serverless-mlops with its extra 'aws'" in message
    settings = tmp_path / "model.toml"
    settings.write_text('target = "offtrt"\nalgorithm = "XGBoost"\n', encoding="utf-8")
    train = ["train", str(EXAMPLE / "train.csv"), "--output", "model", "--settings", str(settings)]
    message = run([str(programs / "mlops"), *train], tmp_path, expected_code=2)
    assert "xgboost is not installed: install serverless-mlops with its extra 'train'" in message
    assert "Traceback" not in message
