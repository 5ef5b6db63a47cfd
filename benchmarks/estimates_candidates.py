"""Estimates scores without labels with NannyML, in an environment of its own.

    python estimates_candidates.py FOLDER

Started by `estimates.py`, which writes `reference.csv`, `analysis.csv` and `facts.json`; this writes
`estimates.json`: for each metric (value, sampling error) of each period, and the CPU seconds of the fit and
of the estimate. Imports and the reading of the files are not counted. Nothing of ours is imported.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

# its names of the scores; of several classes its recall is the mean of those of the classes
NAMES = {
    "roc_auc": "roc_auc",
    "accuracy": "accuracy",
    "balanced_accuracy": "recall",
    "neg_mean_absolute_error": "mae",
}


def estimator(facts: dict[str, Any]) -> Any:
    """Return its estimator for the task with the settings that it has by default."""
    nannyml = importlib.import_module("nannyml")
    columns = {
        "metrics": [NAMES[metric] for metric in facts["metrics"]],
        "y_true": "(outcome)",
        "y_pred": "(predicted)",
        "chunk_size": facts["rows_of_period"],
    }
    if facts["task"] == "regression":
        return nannyml.DLE(feature_column_names=facts["features"], **columns)
    probabilities: Any = "(probability 1)"
    if facts["task"] == "multiclass":
        probabilities = {place: f"(probability {place})" for place in range(facts["n_labels"])}
    kind = "classification_binary" if facts["task"] == "binary" else "classification_multiclass"
    return nannyml.CBPE(problem_type=kind, y_pred_proba=probabilities, **columns)


def main() -> None:
    """Read, fit, estimate, write."""
    warnings.simplefilter("ignore")
    pd.options.future.infer_string = False  # it fails on categories of Arrow's texts
    folder = Path(sys.argv[1])
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    types = dict.fromkeys(facts["texts"], "category")
    reference, analysis = (
        pd.read_csv(folder / f"{name}.csv", dtype=types) for name in ("reference", "analysis")
    )
    made = estimator(facts)
    moments = [time.process_time()]
    made.fit(reference)
    moments.append(time.process_time())
    estimated = made.estimate(analysis.drop(columns="(outcome)"))
    moments.append(time.process_time())
    table = estimated.filter(period="analysis").to_df()
    answer = {
        "estimates": {metric: values(table, metric) for metric in facts["metrics"]},
        "seconds": {"fit": moments[1] - moments[0], "estimate": moments[2] - moments[1]},
    }
    (folder / "estimates.json").write_text(json.dumps(answer), encoding="utf-8")


def values(table: pd.DataFrame, metric: str) -> list[tuple[float, float]]:
    """Return the value and the sampling error of each period, higher values better."""
    of_metric = table[NAMES[metric]]
    sign = -1.0 if metric.startswith("neg_") else 1.0
    pairs = zip(sign * of_metric["value"], of_metric["sampling_error"], strict=True)
    return [(float(value), float(error)) for value, error in pairs]


if __name__ == "__main__":
    main()
