"""Question: what do reasons add to the cost of scoring, and do they agree with the package `shap`?

    python -m benchmarks reasons -- [--rows 40000] [--repeats 3] [--shap PYTHON]

Models of 18 columns with the hyperparameters of `benchmarks.scoring` are fitted to 8,000 rows, and score a
CSV without and with three reasons, in turn, in one process on one thread; CPU seconds are medians. PYTHON is
the interpreter of an environment with shap, scikit-learn and XGBoost of these versions: there
`reasons_candidates.py` computes Shapley values of the same estimator and matrix. Contributions of one-hot
columns are summed to their column on both sides. The table goes to benchmarks/results/reasons.md.
"""

from __future__ import annotations

import argparse
import os
import pickle
import platform
import statistics
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl

from benchmarks.pages import write_page
from benchmarks.scoring_candidates import SETTINGS
from benchmarks.training import write_table
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.scoring import OutputSettings
from mlops.pipelines.artifacts.model import cells_of
from mlops.pipelines.compiled.column_groups import ColumnGroups
from mlops.pipelines.features.training_rows import prepare_rows
from mlops.pipelines.fitting.choosing import fit_model
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline

TRAINING_ROWS = 8_000
COMPARED_ROWS = 500
SCRIPT = Path(__file__).with_name("reasons_candidates.py")
DECISION = (
    "Decision: exact TreeSHAP of XGBoost is looked up in tables that are made once for a model, instead of "
    "by XGBoost's own function, which took 11.5 times the cost of scoring. Forests and HistGradientBoosting "
    "have contributions along the path (Saabas), which are other numbers than Shapley values by definition."
)


def config_of(algorithm: str) -> dict[str, Any]:
    config = {"target": "target", "id_columns": ["patient_id"], "algorithm": algorithm}
    return {**config, "hyperparameters": SETTINGS[algorithm]}


def costs(algorithm: str, folder: Path, repeats: int) -> dict[int, list[float]]:
    """Return the CPU seconds of scoring the file, by the number of reasons."""
    model = folder / algorithm
    TrainingPipeline(config_of(algorithm)).execute(folder / "train.csv", model)
    pipeline, seconds = InferencePipeline(model), {0: [], 3: []}
    for _ in range(repeats):
        for n_reasons, of_reasons in seconds.items():
            settings = replace(GroupSettings(), output=OutputSettings(reasons=n_reasons))
            start = time.process_time()
            pipeline.execute(folder / "score.csv", folder / "predictions", settings=settings)
            of_reasons.append(time.process_time() - start)
    return seconds


def agreement(algorithm: str, folder: Path, python: str) -> str:
    """Return how our contributions and those of shap agree, as cells of the table."""
    rows = prepare_rows(folder / "train.csv", GroupSettings.from_config(config_of(algorithm)))
    model = fit_model(rows).model
    train = rows.aligned[rows.split.train]
    aligned = rows.aligned[rows.split.test].head(COMPARED_ROWS)
    preprocessing = model.pipeline.named_steps["preprocessing"]
    exchange = folder / f"shap-{algorithm}"
    exchange.mkdir()
    np.save(exchange / "background.npy", preprocessing.transform(train))
    np.save(exchange / "matrix.npy", preprocessing.transform(aligned))
    (exchange / "estimator.pkl").write_bytes(pickle.dumps(model.pipeline.named_steps["estimator"]))
    subprocess.run([python, "-W", "ignore", str(SCRIPT), str(exchange)], check=True)
    assert model.compiled is not None
    groups = ColumnGroups.of(model.compiled.form.encoding, {})
    outputs = np.zeros(len(aligned), np.int64)
    ours = model.compiled.form.contributions(cells_of(aligned), outputs, groups)[:, :-1]
    theirs = groups.sums(np.load(exchange / "values.npy"))
    along_paths = exchange / "along_paths.npy"
    same_method = groups.sums(np.load(along_paths)) if along_paths.is_file() else theirs
    same = float((np.abs(ours).argmax(axis=1) == np.abs(theirs).argmax(axis=1)).mean())
    largest, scale = np.abs(ours - same_method).max(), np.abs(same_method).max()
    correlation = np.corrcoef(ours.ravel(), theirs.ravel())[0, 1]
    return f"{largest / scale:.1e} | {correlation:.4f} | {same:.1%}"


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--shap", help="interpreter of an environment with shap")
    arguments = parser.parse_args()
    lines = [
        "# Reasons of predictions\n",
        "CPU microseconds for each row of the whole scoring of a file, and agreement with shap on "
        f"{COMPARED_ROWS} rows: the largest difference to the same method as a share of the largest value "
        "(Shapley values of linear models and XGBoost; contributions along the path of the others, which "
        "shap calls approximate), then the correlation with all Shapley values, and the share of rows with "
        "the same first reason as by these.\n",
        f"{arguments.rows:,} rows of 18 columns, medians of {arguments.repeats} runs in turn; "
        f"{platform.machine()}, {os.cpu_count()} cores that others used too, one thread.\n",
        "| model | without | with 3 reasons | ratio | difference, same method | correlation, Shapley values "
        "| same first reason |",
        "|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as scratch, threadpoolctl.threadpool_limits(1):
        folder = Path(scratch)
        write_table(folder / "train.csv", TRAINING_ROWS)
        write_table(folder / "score.csv", arguments.rows)
        for algorithm in SETTINGS:
            seconds = costs(algorithm, folder, arguments.repeats)
            without, having = (statistics.median(seconds[n]) / arguments.rows * 1e6 for n in (0, 3))
            agrees = agreement(algorithm, folder, arguments.shap) if arguments.shap else "- | - | -"
            name = ", ".join([algorithm, *(f"{key} {value}" for key, value in SETTINGS[algorithm].items())])
            lines.append(f"| {name} | {without:.1f} | {having:.1f} | {having / without:.2f} | {agrees} |")
            print(lines[-1], flush=True)
    write_page("reasons", "\n".join([*lines, "", DECISION, ""]))


if __name__ == "__main__":
    main()
