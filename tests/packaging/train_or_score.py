"""Run inside an environment of the matrix: trains one model per algorithm, or scores with stored ones.

    python train_or_score.py train EXAMPLE MODELS
    python train_or_score.py score EXAMPLE MODELS

Prints one JSON object by algorithm: the predicted probabilities, or the message of a refusal.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
import tomllib
from pathlib import Path

from mlops import InferencePipeline, TrainingPipeline
from mlops.models.errors import ArtifactError

ALGORITHMS = ("RandomForest", "XGBoost", "LogisticRegression", "HistGradientBoosting")


def train(example: Path, models: Path) -> None:
    settings = tomllib.loads((example / "model.toml").read_text(encoding="utf-8"))
    settings.pop("hyperparameters", None)  # they belong to the example's own algorithm
    for algorithm in ALGORITHMS:
        TrainingPipeline({**settings, "algorithm": algorithm}).execute(
            example / "train.csv", models / algorithm
        )


def score(example: Path, model: Path) -> list[float] | str:
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = InferencePipeline(model).execute(example / "score.csv", folder)
        except ArtifactError as error:
            return str(error)
        with Path(result.predictions_path).open(encoding="utf-8", newline="") as file:
            return [float(row["probability"]) for row in csv.DictReader(file)]


if __name__ == "__main__":
    action, example_path, models_path = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if action == "train":
        train(example_path, models_path)
    print(json.dumps({algorithm: score(example_path, models_path / algorithm) for algorithm in ALGORITHMS}))
