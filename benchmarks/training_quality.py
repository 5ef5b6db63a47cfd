"""Are our models as good as what anybody gets with plain scikit-learn, with and without a chosen algorithm?

    python -m benchmarks training_quality -- [FOLDER] [--seeds 3] [--algorithms default RandomForest ...]

Without FOLDER the training files of examples/ are measured, by their model.toml.
FOLDER holds CSV files, each with a JSON of the same name that says `target` and, where there are any, `task`,
`positive`, `id_columns`, `group_column` ("a+b" for two), and `leakage_columns`. Each file is split by our own
split, several times under other names for the same persons; the peers are fitted to the same rows and
see the same features. Peers: logistic or ridge regression behind imputation, scaling and one-hot, and
HistGradientBoosting, both with scikit-learn's own defaults. The table goes to
benchmarks/results/training_quality.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import tomllib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from mlops.models.group_settings import GroupSettings
from mlops.pipelines import artifacts
from mlops.pipelines.algorithm_table import ALGORITHMS
from mlops.pipelines.bootstrap import ScoreRows, bootstrap_intervals
from mlops.pipelines.model import Scores
from mlops.pipelines.schema import align
from mlops.pipelines.scores import PRIMARY, compute_scores
from mlops.pipelines.splitting import split_rows
from mlops.pipelines.tables import read_training_table
from mlops.pipelines.task import define_problem
from mlops.pipelines.training_pipeline import TrainingPipeline

DEFAULT = "default"
DECISION = (
    "without a set algorithm, a linear model and two boosted ones contend on the training rows: no single "
    "algorithm is good on weak linear signals and on strong crooked ones."
)
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def settings_of(facts: dict[str, Any], seed: int) -> dict[str, Any]:
    """Return the pipeline's config for one data set, without an algorithm."""
    config: dict[str, Any] = {
        "target": facts["target"],
        "task": facts.get("task"),
        "positive_label": facts.get("positive"),
        "id_columns": facts.get("id_columns") or [],
        "group_columns": (facts.get("group_column") or "").split("+") if facts.get("group_column") else [],
        "exclude_columns": facts.get("leakage_columns") or [],
        "seed": seed,
    }
    return {name: value for name, value in config.items() if value is not None}


def config_of(source: Path, seed: int) -> dict[str, Any]:
    """Return the config of a CSV file, by the JSON of its name or the model.toml beside it."""
    facts = source.with_suffix(".json")
    if facts.is_file():
        return settings_of(json.loads(facts.read_bytes()), seed)
    config = tomllib.loads((source.parent / "model.toml").read_text(encoding="utf-8"))
    return {name: config[name] for name in config if name not in ("algorithm", "hyperparameters")} | {
        "seed": seed
    }


def renamed(source: Path, config: dict[str, Any], seed: int, folder: Path) -> Path:
    """Write the file with other names for the same persons or rows: the split hangs on nothing else."""
    frame = pd.read_csv(source, dtype=str, keep_default_na=False)
    names = config.get("group_columns") or config.get("group_column") or config.get("id_columns")
    if not names:
        frame["row"], names = np.arange(len(frame)).astype(str), "row"
        config["id_columns"] = ["row"]
    column = names if isinstance(names, str) else names[0]
    frame[column] = frame[column] + f" ({seed})"
    path = folder / source.name
    frame.to_csv(path, index=False)
    return path


def plain_peers(task: str) -> dict[str, Any]:
    """Return what a person writes in five minutes, unfitted."""
    numbers = make_column_selector(dtype_include="number")
    texts = make_column_selector(dtype_exclude="number")
    as_columns = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), texts),
    )
    as_codes = make_column_transformer(
        ("passthrough", numbers),
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), texts),
    )
    linear = Ridge() if task == "regression" else LogisticRegression(max_iter=2000)
    boosted = (
        HistGradientBoostingRegressor(random_state=0)
        if task == "regression"
        else HistGradientBoostingClassifier(random_state=0)
    )
    return {
        "plain linear": make_pipeline(as_columns, linear),
        "plain boosting": make_pipeline(as_codes, boosted),
    }


def scores_of(fitted: Any, rows: pd.DataFrame, task: str) -> Scores:
    """Return what a peer says, in the form that our scores take."""
    if task == "regression":
        return Scores(np.asarray(fitted.predict(rows), dtype=np.float64))
    probabilities = fitted.predict_proba(rows)
    return Scores(probabilities.argmax(axis=1), probabilities)


class Trial:
    """One data set under one split: the rows, and what each contender says of the held-out ones."""

    def __init__(self, source: Path, seed: int, folder: Path) -> None:
        self.config = config_of(source, seed)
        self.source = renamed(source, self.config, seed, folder) if seed else source
        settings = GroupSettings.from_config(self.config)
        self.frame = read_training_table(self.source, settings)
        self.problem = define_problem(self.frame[settings.target], settings)
        self.split = split_rows(self.frame, str(settings.target), settings)

    def ours(self, algorithm: str) -> tuple[Scores, Any, float]:
        """Train by our pipeline and score with the saved model."""
        config = self.config if algorithm == DEFAULT else {**self.config, "algorithm": algorithm}
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            result = TrainingPipeline(config).execute(self.source, folder)
            seconds = time.perf_counter() - start
            model, _ = artifacts.load_model(Path(folder))
        self.schema = model.schema
        return model.score(self.frame[self.split.test])[0], result, seconds

    def theirs(self, name: str) -> Scores:
        """Fit a peer to the same rows and features."""
        aligned, _ = align(self.frame, self.schema.features)
        rows = aligned.infer_objects().fillna(
            {c: "missing" for c in aligned.columns if aligned[c].dtype == object}
        )
        peer = plain_peers(self.problem.task)[name]
        peer.fit(rows[self.split.train], self.problem.y[self.split.train])
        return scores_of(peer, rows[self.split.test], self.problem.task)

    def judge(self, scores: Scores) -> dict[str, float]:
        """Return every score on the held-out rows."""
        return compute_scores(self.problem.task, self.problem.y[self.split.test], scores)

    def difference(self, ours: Scores, theirs: Scores, metric: str) -> tuple[float, float]:
        """Return the 95 % interval of the paired difference in one score."""
        y, task = self.problem.y[self.split.test], self.problem.task

        def differences_among(rows: np.ndarray) -> ScoreRows:
            def differences(drawn: np.ndarray) -> dict[str, float]:
                one, other = (
                    compute_scores(task, y[rows][drawn], side.take(rows).take(drawn)).get(metric, np.nan)
                    for side in (ours, theirs)
                )
                return {metric: one - other}

            return differences

        members = self.split.members[self.split.test]
        return bootstrap_intervals(differences_among, members, np.random.default_rng(0))[metric]


def measure(source: Path, seeds: int, algorithms: Sequence[str]) -> list[dict[str, Any]]:
    """Return a line per split and algorithm: our score, the better peer's, and the paired interval."""
    lines = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            lines += measure_split(source, seed, Path(folder), algorithms)
    return lines


def measure_split(source: Path, seed: int, folder: Path, algorithms: Sequence[str]) -> list[dict[str, Any]]:
    """Return a line per algorithm for one split."""
    trial = Trial(source, seed, folder)
    metric = PRIMARY[trial.problem.task]
    ours = {algorithm: trial.ours(algorithm) for algorithm in algorithms}
    theirs = {name: trial.theirs(name) for name in plain_peers(trial.problem.task)}
    best = max(theirs, key=lambda name: trial.judge(theirs[name])[metric])
    lines = []
    for algorithm, (scores, result, seconds) in ours.items():
        low, high = trial.difference(scores, theirs[best], metric)
        lines.append(
            {
                "set": source.parent.name if source.stem == "train" else source.stem,
                "metric": metric,
                "algorithm": algorithm,
                "took": result.algorithm,
                "ours": trial.judge(scores)[metric],
                "peer": trial.judge(theirs[best])[metric],
                "best": best,
                "low": low,
                "high": high,
                "seconds": seconds,
            }
        )
    return lines


def render(lines: list[dict[str, Any]]) -> str:
    """Return the table, and in how many splits we were clearly worse."""
    head = "| set | split | score | algorithm | ours | better peer | difference, 95 % | seconds |"
    rows = [head, "|---|---|---|---|---|---|---|---|"]
    seen: dict[tuple[str, str], int] = {}
    for line in lines:
        place = (line["set"], line["algorithm"])
        seen[place] = seen.get(place, -1) + 1
        took = f" ({line['took']})" if line["took"] != line["algorithm"] else ""
        rows.append(
            f"| {line['set']} | {seen[place]} | {line['metric']} | {line['algorithm']}{took} "
            f"| {line['ours']:.4f} | {line['peer']:.4f} ({line['best']}) "
            f"| {line['low']:+.4f} to {line['high']:+.4f} | {line['seconds']:.1f} |"
        )
    worse = sum(line["high"] < 0 for line in lines)
    question = (__doc__ or "").splitlines()[0]
    return (
        f"# Quality\n\n{question}\n\n"
        + "\n".join(rows)
        + (
            f"\n\nClearly worse than the better peer (interval wholly below 0): {worse} of {len(lines)}.\n\n"
            f"Measured on {os.cpu_count()} cores that others used too. Decision: {DECISION}\n"
        )
    )


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="where the CSV files and their JSON lie")
    parser.add_argument("--seeds", type=int, default=3, help="splits of each file")
    parser.add_argument("--algorithms", nargs="+", default=[DEFAULT], choices=[DEFAULT, *ALGORITHMS])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    lines = []
    found = arguments.folder.glob("*.csv") if arguments.folder else EXAMPLES.glob("*/train.csv")
    for source in sorted(found):
        lines += measure(source, arguments.seeds, arguments.algorithms)
        print(f"{source} measured", file=sys.stderr)
    table = render(lines)
    print(table)
    results = Path(__file__).parent / "results" / "training_quality.md"
    results.parent.mkdir(exist_ok=True)
    results.write_text(table)


if __name__ == "__main__":
    main()
