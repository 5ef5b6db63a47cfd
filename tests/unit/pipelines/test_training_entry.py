"""The entry point of the training job, run as SageMaker runs it: a process, folders, an exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mlops.infrastructure.row_key import user_row_key
from mlops.models.dataset import ColumnContract, Contract
from mlops.pipelines.artifact_files import ROW_KEYS
from mlops.pipelines.artifacts import artifacts, serving_code
from mlops.pipelines.artifacts.archive import pack, sha256_of

from .conftest import SETTINGS, build_table


@pytest.fixture
def container(tmp_path: Path, training_source: Path) -> Path:
    """`/opt/ml` with the bundle in the code channel and a training file."""
    shutil.copytree(training_source, tmp_path / "input" / "data" / "code")
    (tmp_path / "input" / "config").mkdir()
    (tmp_path / "input" / "data" / "training").mkdir()
    (tmp_path / "input" / "data" / "row_key").mkdir()
    (tmp_path / "input" / "data" / "row_key" / "key").write_bytes(user_row_key() or b"")
    build_table(200).to_csv(tmp_path / "input" / "data" / "training" / "data.csv", index=False)
    return tmp_path


def run_job(
    base: Path, hyperparameters: dict[str, str], **variables: str
) -> subprocess.CompletedProcess[str]:
    path = base / "input" / "config" / "hyperparameters.json"
    path.write_text(json.dumps(hyperparameters))
    environment = {"PATH": os.environ["PATH"], "SAGEMAKER_BASE_DIR": str(base), **variables}
    command = [sys.executable, str(base / "input" / "data" / "code" / "train.py")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def leave_out(wheel: Path, folder: str) -> None:
    """Write a wheel again without one of its folders."""
    with zipfile.ZipFile(wheel) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if not name.startswith(folder)}
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def settings_of(**config) -> str:
    return json.dumps({**SETTINGS, "algorithm": "LogisticRegression", **config})


def test_a_job_writes_the_model_and_its_evidence_apart(container: Path):
    job = run_job(container, {"settings": settings_of(), "group": "trial", "dataset_id": "abc"})
    assert job.returncode == 0, job.stderr
    model, evidence = container / "model", container / "output" / "data"
    artifacts.load_model(model)
    assert artifacts.read_manifest(model).model_group == "trial"
    assert {path.name for path in evidence.iterdir()} == {
        path.name
        for path in model.iterdir()
        if path.name not in (*artifacts.MODEL_FILES, ROW_KEYS, serving_code.FOLDER)
    }
    assert serving_code.has_serving_code(model)
    assert "metric roc_auc=0." in job.stdout
    assert not (container / "output" / "failure").exists()


def test_a_job_obeys_the_contract_of_its_dataset(container: Path):
    table = build_table(200).assign(
        ward=["007", "31", "4", "55"] * 50, floor=[1, 2, 3, 4] * 50, case=[*range(100)] * 2
    )
    table.to_csv(container / "input" / "data" / "training" / "data.csv", index=False)
    contract = Contract(
        (ColumnContract("case", "text", "id"), ColumnContract("floor", "category", "feature"))
    )
    channel = container / "input" / "data" / "contract"
    channel.mkdir()
    (channel / "00000001-0a1b2c3d4e5f.json").write_text(contract.to_json())
    job = run_job(container, {"settings": settings_of(id_columns=[])})
    assert job.returncode == 0, job.stderr
    schema = json.loads((container / "model" / "schema.json").read_bytes())
    kinds = {feature["name"]: feature["kind"] for feature in schema["features"]}
    assert kinds["floor"] == kinds["ward"] == "categorical"
    assert kinds["dose"] == "numeric"
    assert "case" not in kinds


def test_a_job_is_compared_with_its_champion(container: Path, trained, tmp_path: Path):
    channel = container / "input" / "data" / "champion"
    channel.mkdir()
    pack(trained("LogisticRegression", "binary").model_path, channel / "model.tar.gz")
    digest = sha256_of(channel / "model.tar.gz")
    names = {"champion_version": "v1.0.0", "champion_sha256": digest}
    job = run_job(container, {"settings": settings_of(), **names})
    assert job.returncode == 0, job.stderr
    result = json.loads((container / "model" / "training_result.json").read_bytes())
    assert result["comparison"]["champion_version"] == "v1.0.0"
    assert result["comparison"]["comparable"]


def test_a_champion_of_other_bytes_fails_the_job(container: Path):
    channel = container / "input" / "data" / "champion"
    channel.mkdir()
    (channel / "model.tar.gz").write_bytes(b"other bytes")
    job = run_job(container, {"settings": settings_of(), "champion_sha256": "0" * 64})
    assert job.returncode == 1
    assert "its digest differs" in (container / "output" / "failure").read_text()


def test_a_failure_is_one_sentence_and_the_traceback_stays_in_the_log(container: Path):
    job = run_job(container, {"settings": settings_of(target="nothing_like_it")})
    assert job.returncode == 1
    sentence = (container / "output" / "failure").read_text()
    assert sentence.startswith("The file has no target column 'nothing_like_it'.")
    assert "Traceback" not in sentence
    assert "Traceback" in job.stderr
    assert not list((container / "model").glob("manifest.json"))


def test_an_unexpected_fault_is_reported_by_its_kind_alone(container: Path):
    (wheel,) = (container / "input" / "data" / "code" / "wheels").glob("*.whl")
    leave_out(wheel, "mlops/pipelines/")
    job = run_job(container, {"settings": settings_of()})
    assert job.returncode == 1
    sentence = (container / "output" / "failure").read_text()
    assert sentence == (
        "Training stopped at an unexpected ModuleNotFoundError; the log of the training job has the details."
    )


def test_script_mode_passes_hyperparameters_and_channels_by_environment(container: Path, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    shutil.move(container / "input" / "data" / "training", elsewhere)
    hyperparameters = {"target": "outcome", "algorithm": "RandomForest", "n_estimators": 10}
    variables = {
        "SM_HPS": json.dumps({**hyperparameters, "sagemaker_program": "train.py"}),
        "SM_CHANNEL_TRAINING": str(elsewhere),
        "SM_MODEL_DIR": str(tmp_path / "model-elsewhere"),
    }
    job = run_job(container, {}, **variables)
    assert job.returncode == 0, job.stderr
    manifest = artifacts.read_manifest(tmp_path / "model-elsewhere")
    assert manifest.settings.hyperparameters == {"n_estimators": 10}


def test_a_trial_prints_its_score_and_leaves_no_model(container: Path):
    hyperparameters = {"settings": settings_of(), "trial": "true", "C": "0.3"}
    job = run_job(container, {**hyperparameters, "_tuning_objective_metric": "out_of_fold"})
    assert job.returncode == 0, job.stderr
    (line,) = [line for line in job.stdout.splitlines() if line.startswith("trial out_of_fold=")]
    assert 0.5 < float(line.partition("=")[2]) < 1.0
    assert not (container / "model").exists()


def test_a_job_takes_the_best_of_the_trials_in_its_channel(container: Path):
    channel = container / "input" / "data" / "trials"
    channel.mkdir()
    trials = [{"hyperparameters": {"C": 0.25}, "score": 0.99}]
    document = {"algorithm": "LogisticRegression", "trials": trials, "n_failed": 0, "reason": ""}
    (channel / "trials.json").write_text(json.dumps(document))
    search = {"trials": 2, "space": {"C": [0.1, 1.0]}}
    job = run_job(container, {"settings": settings_of(search=search)})
    assert job.returncode == 0, job.stderr
    result = json.loads((container / "model" / "training_result.json").read_bytes())
    assert result["hyperparameters"]["C"] == 0.25
    assert [trial["hyperparameters"] for trial in result["trials"]] == [{"C": 0.25}, {}]
