"""Fits an AutoML library to the rows in a folder, in that library's own environment.

    python automl_peers_candidates.py PEER FOLDER

Started by `automl_peers.py`, which writes `train.csv`, `test.csv` and `facts.json`; this writes
`predicted.npy` and `used.json`. Nothing of ours is imported.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TARGET = "(target)"
METRICS = {
    "flaml": {"binary": "roc_auc", "multiclass": "macro_f1", "regression": "r2"},
    "autogluon": {"binary": "roc_auc", "multiclass": "balanced_accuracy", "regression": "r2"},
}


def flaml(train: pd.DataFrame, task: str, seconds: float) -> Any:
    """Return a model of FLAML, fitted to the rows."""
    model = importlib.import_module("flaml").AutoML()
    model.fit(
        train.drop(columns=TARGET),
        train[TARGET],
        task="regression" if task == "regression" else "classification",
        metric=METRICS["flaml"][task],
        time_budget=seconds,
        n_jobs=1,
        seed=0,
        verbose=0,
        early_stop=False,
    )
    return model


def autogluon(train: pd.DataFrame, task: str, seconds: float) -> Any:
    """Return models of AutoGluon without neural networks, fitted to the rows."""
    predictor = importlib.import_module("autogluon.tabular").TabularPredictor(
        TARGET,
        problem_type=task,
        eval_metric=METRICS["autogluon"][task],
        path=str(FOLDER / "ag"),
        verbosity=0,
    )
    neural = ["NN_TORCH", "FASTAI"]
    predictor.fit(train, time_limit=seconds, excluded_model_types=neural, num_cpus=1, num_gpus=0)
    return predictor


PEERS: dict[str, Callable[[pd.DataFrame, str, float], Any]] = {"flaml": flaml, "autogluon": autogluon}
PACKAGES = {"flaml": "flaml", "autogluon": "autogluon.tabular"}
FOLDER = Path(sys.argv[2]) if len(sys.argv) > 2 else Path()


def over_classes(predicted: np.ndarray, classes: np.ndarray, n_classes: int) -> np.ndarray:
    """Return probabilities with a column for each class, also for those that no training row has."""
    if predicted.ndim == 1 or predicted.shape[1] == n_classes:
        return predicted
    complete = np.zeros((len(predicted), n_classes))
    complete[:, classes] = predicted
    return complete


def main() -> None:
    """Read, fit, predict, write."""
    facts: dict[str, Any] = json.loads((FOLDER / "facts.json").read_text(encoding="utf-8"))
    types = dict.fromkeys(facts["texts"], "category")
    train, test = (pd.read_csv(FOLDER / f"{name}.csv", dtype=types) for name in ("train", "test"))
    began, wall = time.process_time(), time.time()
    time.time = lambda: wall + time.process_time() - began  # the limit counts CPU seconds
    importlib.import_module(PACKAGES[sys.argv[1]])
    start = time.process_time()
    model = PEERS[sys.argv[1]](train, facts["task"], facts["seconds"])
    used = time.process_time() - start
    rows, is_regression = test.drop(columns=TARGET), facts["task"] == "regression"
    predicted = np.asarray(model.predict(rows) if is_regression else model.predict_proba(rows))
    if not is_regression:
        classes = np.unique(train[TARGET])
        n_classes = int(max(train[TARGET].max(), test[TARGET].max())) + 1
        predicted = over_classes(predicted, classes, n_classes)
    np.save(FOLDER / "predicted.npy", predicted.astype(np.float64))
    (FOLDER / "used.json").write_text(json.dumps({"seconds": used}), encoding="utf-8")


if __name__ == "__main__":
    main()
