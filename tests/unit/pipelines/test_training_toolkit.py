"""The entry point under the real `sagemaker-training` toolkit, as SageMaker's own images start it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from mlops.pipelines.artifacts import artifacts

from .conftest import SETTINGS, build_table

TOOLKIT = "sagemaker-training==5.1.4"


@pytest.fixture(scope="session")
def toolkit() -> Path:
    """An environment with the toolkit, kept for the next run; skips where it cannot be made."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mlops-tests"
    environment = cache / f"{TOOLKIT.replace('==', '-')}-{sys.implementation.cache_tag}"
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    if not Path(uv).is_file():
        pytest.skip("the toolkit needs uv to be installed")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (environment / "ready").is_file():
            _build(uv, environment)
    return environment


def _build(uv: str, environment: Path) -> None:
    python = environment / "bin" / "python"
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(environment)],
        [uv, "pip", "install", "--quiet", "--python", str(python), TOOLKIT, "setuptools<81"],
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"{TOOLKIT} cannot be installed here: {error}")
        if done.returncode:
            pytest.skip(f"{TOOLKIT} cannot be installed here: {done.stderr.strip()[-300:]}")
    (environment / "ready").touch()


def prepare_container(base: Path, training_source: Path, **more: object) -> None:
    """Lay out `/opt/ml` as SageMaker does for a script-mode job."""
    source = base / "source"
    shutil.copytree(training_source, source)
    config, channel = base / "input" / "config", base / "input" / "data" / "training"
    config.mkdir(parents=True)
    channel.mkdir(parents=True)
    build_table(200).to_csv(channel / "data.csv", index=False)
    hyperparameters = {
        **SETTINGS,
        "algorithm": "RandomForest",
        "n_estimators": 12,
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": str(source),
        **more,
    }
    documents = {
        "hyperparameters": {name: json.dumps(value) for name, value in hyperparameters.items()},
        # a name that resolves: the toolkit waits for its hosts up to a quarter of an hour
        "resourceconfig": {
            "current_host": "localhost",
            "hosts": ["localhost"],
            "network_interface_name": "lo",
        },
        "inputdataconfig": {"training": {"TrainingInputMode": "File", "ContentType": "text/csv"}},
    }
    for name, document in documents.items():
        (config / f"{name}.json").write_text(json.dumps(document))


def run_toolkit(toolkit: Path, base: Path) -> subprocess.CompletedProcess[str]:
    """Start the container as the image does."""
    variables = {
        "PATH": f"{toolkit / 'bin'}:{os.environ['PATH']}",
        "HOME": os.environ["HOME"],
        "SAGEMAKER_BASE_DIR": str(base),
        "PYTHONPATH": sysconfig.get_path("purelib"),  # the libraries of the image
        "AWS_REGION": "eu-west-1",
    }
    return subprocess.run(
        [str(toolkit / "bin" / "train")],
        env=variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=base,
    )


def test_the_toolkit_runs_our_entry_point_in_script_mode(
    toolkit: Path, training_source: Path, tmp_path: Path
):
    prepare_container(tmp_path, training_source)
    job = run_toolkit(toolkit, tmp_path)
    assert job.returncode == 0, (job.stdout + job.stderr)[-3000:]
    assert "Reporting training SUCCESS" in job.stdout + job.stderr
    manifest = artifacts.read_manifest(tmp_path / "model")
    assert manifest.settings.hyperparameters == {"n_estimators": 12}
    model, _ = artifacts.load_model(tmp_path / "model")
    assert set(model.schema.feature_names) == {"age", "dose", "region"}
    assert (tmp_path / "output" / "data" / "model_card.html").is_file()


def test_the_toolkit_runs_a_trial_of_a_tuning_job(toolkit: Path, training_source: Path, tmp_path: Path):
    tuning = {"trial": True, "min_samples_leaf": 7, "_tuning_objective_metric": "out_of_fold"}
    prepare_container(tmp_path, training_source, **tuning)
    job = run_toolkit(toolkit, tmp_path)
    assert job.returncode == 0, (job.stdout + job.stderr)[-3000:]
    assert "trial out_of_fold=0." in job.stdout


def test_the_toolkit_leaves_the_reason_of_a_trial_as_it_is(
    toolkit: Path, training_source: Path, tmp_path: Path
):
    prepare_container(tmp_path, training_source, trial=True, target="nothing_like_it")
    job = run_toolkit(toolkit, tmp_path)
    assert job.returncode != 0
    sentence = (tmp_path / "output" / "failure").read_text()
    assert sentence.startswith("The file has no target column 'nothing_like_it'.")
