"""Prediction of rows that are in memory, side by side with a plain joblib model.

Question: how much CPU does a request to predict take, against `predict_proba` of the same kind of model?

    python -m benchmarks predict -- [--repeats 40]

Both are trained on the example of medication adherence. Ours makes JSON of JSON with a status for each row,
as the API does, without HTTP and without the queue. The peer is a scikit-learn pipeline from a joblib file:
alone with a frame, and between JSON that pandas reads and the json module writes. They alternate in one
process, and the smallest CPU time counts. The table goes to benchmarks/results/predict.md.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.pages import write_page
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline
from mlops.use_cases.predict.request_body import read_body

REPOSITORY = Path(__file__).resolve().parents[1]
EXAMPLE = REPOSITORY / "examples" / "medication-adherence"
SIZES = (1, 1_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=40, help="calls of each candidate")
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder:
        ours, plain = train_ours(Path(folder) / "model"), train_plain(Path(folder) / "plain.joblib")
        table = render({n_rows: measure(ours, plain, n_rows, repeats) for n_rows in SIZES}, repeats)
    print(table)
    write_page("predict", table)


def settings() -> GroupSettings:
    return GroupSettings.from_toml((EXAMPLE / "model.toml").read_text(encoding="utf-8"))


def train_ours(folder: Path) -> InferencePipeline:
    TrainingPipeline(settings()).execute(EXAMPLE / "train.csv", folder)
    return InferencePipeline(folder)


def train_plain(path: Path) -> object:
    table = pd.read_csv(EXAMPLE / "train.csv")
    features = table.drop(columns=["offtrt", "patient_id", *settings().exclude_columns])
    texts = list(features.select_dtypes("object"))
    numbers = [name for name in features if name not in texts]
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), texts),
    )
    joblib.dump(make_pipeline(columns, LogisticRegression(C=0.1)).fit(features, table["offtrt"]), path)
    return joblib.load(path)


def measure(ours: InferencePipeline, plain: object, n_rows: int, repeats: int) -> dict[str, float]:
    """Return the CPU milliseconds of a call by candidate."""
    frame = pd.concat([pd.read_csv(EXAMPLE / "score.csv")] * 5, ignore_index=True).head(n_rows)
    body = json.dumps({"rows": json.loads(frame.to_json(orient="records"))}).encode()

    def request(*, reasons: bool) -> None:
        rows = read_body(body).rows
        json.dumps(ours.predict(rows, reasons=reasons).documents())

    def behind_json() -> None:
        rows = pd.DataFrame(json.loads(body)["rows"])
        json.dumps(plain.predict_proba(rows).tolist())  # type: ignore[attr-defined]

    candidates: dict[str, Callable[[], object]] = {
        "ours": lambda: request(reasons=False),
        "ours, with reasons": lambda: request(reasons=True),
        "joblib, JSON to JSON": behind_json,
        "joblib alone": lambda: plain.predict_proba(frame),  # type: ignore[attr-defined]
    }
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(repeats):
        for name, call in candidates.items():
            start = time.process_time()
            call()
            times[name].append((time.process_time() - start) * 1_000)
    return {name: float(np.min(values)) for name, values in times.items()}


def render(results: dict[int, dict[str, float]], repeats: int) -> str:
    lines = [
        "# Prediction of rows in memory",
        "",
        f"Smallest CPU milliseconds of {repeats} calls on {platform.machine()},",
        f'Python {platform.python_version()}; ratios are to "joblib, JSON to JSON".',
        "",
        "| rows | candidate | CPU ms | CPU ms a row | ratio |",
        "|---|---|---|---|---|",
    ]
    for n_rows, by_name in results.items():
        for name, value in by_name.items():
            ratio = value / by_name["joblib, JSON to JSON"]
            lines.append(f"| {n_rows:,} | {name} | {value:.1f} | {value / n_rows:.3f} | {ratio:.1f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
