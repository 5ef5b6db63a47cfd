"""Small data sets with a known truth, and models trained on them once per run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops.models.training import TrainingResult
from mlops.pipelines.training_pipeline import TrainingPipeline

Builder = Callable[..., pd.DataFrame]


def build_table(rows: int = 400, task: str = "binary", seed: int = 0) -> pd.DataFrame:
    """Patients whose outcome hangs on age, dose and region, with an id, gaps and columns of no use."""
    rng = np.random.default_rng(seed)
    age = rng.normal(50, 12, rows).round(1)
    dose = rng.gamma(2.0, 2.0, rows).round(2)
    region = rng.choice(["north", "south", "east"], rows, p=[0.5, 0.3, 0.2])
    signal = 0.08 * (age - 50) + 0.5 * (dose - 4) + np.where(region == "east", 1.5, 0.0)
    noisy = signal + rng.normal(0, 1.0, rows)
    outcomes: dict[str, Any] = {
        "binary": np.where(noisy > 0.5, "yes", "no"),
        "multiclass": np.select([noisy > 1.2, noisy < -0.8], ["high", "low"], "middle"),
        "regression": (100 + 10 * noisy).round(3),
    }
    return pd.DataFrame(
        {
            "patient_id": [f"P{number:05d}" for number in range(rows)],
            "age": np.where(rng.random(rows) < 0.05, np.nan, age),
            "dose": dose,
            "region": np.where(rng.random(rows) < 0.05, None, region),
            "visited": pd.date_range("2023-01-01", periods=rows, freq="D").strftime("%Y-%m-%d"),
            "nothing": np.nan,
            "site": "main",
            "outcome": outcomes[task],
        }
    )


@pytest.fixture(scope="session")
def training_source(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The training source as the layer has it, without the packages of others."""
    folder = tmp_path_factory.mktemp("training") / "source"
    shutil.copytree(repository / "training", folder, ignore=shutil.ignore_patterns("__pycache__"))
    build = ["-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "wheels")]
    subprocess.run([sys.executable, *build], cwd=repository, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def a_table() -> Builder:
    return build_table


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    def write(frame: pd.DataFrame, name: str = "train.csv") -> Path:
        path = tmp_path / name
        frame.to_csv(path, index=False)
        return path

    return write


SETTINGS = {"target": "outcome", "id_columns": "patient_id"}
SMALL = {
    "RandomForest": {"n_estimators": 20},
    "XGBoost": {"n_estimators": 60, "learning_rate": 0.1},
    "LogisticRegression": {},
    "HistGradientBoosting": {"max_iter": 40, "learning_rate": 0.1},
    "ExtraTrees": {"n_estimators": 20},
    "Ridge": {},
    "LinearRegression": {},
    "auto": {},
}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], TrainingResult]:
    """Trains each algorithm on each task at most once; the results must not be changed."""
    existing: dict[tuple[str, str], TrainingResult] = {}

    def train(algorithm: str, task: str) -> TrainingResult:
        key = algorithm, task
        if key not in existing:
            folder = tmp_path_factory.mktemp(f"{algorithm}-{task}")
            build_table(task=task).to_csv(folder / "train.csv", index=False)
            config = {**SETTINGS, "algorithm": algorithm, **SMALL[algorithm]}
            existing[key] = TrainingPipeline(config).execute(folder / "train.csv", folder / "model")
        return existing[key]

    return train


def train(frame: pd.DataFrame, folder: Path, **config) -> TrainingResult:
    frame.to_csv(folder / "train.csv", index=False)
    merged = {**SETTINGS, "algorithm": "LogisticRegression", **config}
    return TrainingPipeline(merged).execute(folder / "train.csv", folder / "model")
