"""Are our models as good as those of plain scikit-learn, and what do they cost beside them?

    python -m benchmarks training_quality -- [FOLDER] [--seeds 3] [--algorithms default RandomForest ...]
                                             [--only NAME]

Without FOLDER the training files of examples/ are measured, by their model.toml. After them come the tables
of `unseen_sets.py`, without an algorithm. FOLDER holds CSV files, each with a JSON of the same name that
says `target` and, where there are any, `task`, `positive`, `id_columns`, `group_column` ("a+b" for two), and
`leakage_columns`. Each file is split by our own split, several times under other names for the same persons;
the peers are fitted to the same rows and see the same features. Peers: logistic or ridge regression behind
imputation, scaling and one-hot, and HistGradientBoosting, both with scikit-learn's own defaults. CPU seconds
are those of the process: ours to choose and fit, the peers' to fit both. The tables go to
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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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

from benchmarks.pages import write_page
from benchmarks.unseen_sets import SETS, UnseenSet
from mlops.algorithms.cores import using_cores
from mlops.algorithms.definitions import ALGORITHMS
from mlops.dataset.validation.reading import load_table
from mlops.models.errors import MlopsError
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.artifacts.model import Scores, align, with_made_features
from mlops.pipelines.evaluation.bootstrap import ScoreRows, bootstrap_intervals, resampled_scores
from mlops.pipelines.evaluation.scores import PRIMARY, compute_scores
from mlops.pipelines.features.splitting import split_rows
from mlops.pipelines.features.task import define_problem
from mlops.pipelines.features.training_rows import prepare_rows
from mlops.pipelines.fitting.choosing import fit_model

DEFAULT = "default"
DECISION = (
    "without a set algorithm, a linear model and two boosted ones, which stop early, contend on the training "
    "rows: no single algorithm is good on weak linear signals and on strong crooked ones. A column of many "
    "categories is there twice, as its frequent levels and as the mean target of its level."
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


@dataclass(frozen=True, slots=True)
class Case:
    """A table and the config of its training."""

    name: str
    source: Path
    config: dict[str, Any]


def example_cases(folder: Path | None, seed: int, to: Path) -> Iterator[Case]:
    """Yield the tables of the folder, with another split for each seed."""
    for source in sorted(folder.glob("*.csv") if folder else EXAMPLES.glob("*/train.csv")):
        name = source.parent.name if source.stem == "train" else source.stem
        frame = pd.read_csv(source, dtype=str, keep_default_na=False)
        yield written(Case(name, source, config_of(source, seed)), frame, seed, to)


def unseen_case(unseen: UnseenSet, seed: int, to: Path) -> Case:
    """Make an unseen table: other rows for each seed, or the same ones with another split."""
    frame = unseen.make(np.random.default_rng(seed))
    case = Case(unseen.name, to / "unseen.csv", {"target": "outcome", "seed": seed, **unseen.settings})
    return written(case, frame, seed, to)


def written(case: Case, frame: pd.DataFrame, seed: int, to: Path) -> Case:
    """Write the table with other names for the same persons or rows: only they decide the split."""
    config = dict(case.config)
    names = config.get("group_columns") or config.get("group_column") or config.get("id_columns")
    if seed and not config.get("time_column"):
        if not names:
            frame["row"], names = np.arange(len(frame)).astype(str), "row"
            config["id_columns"] = ["row"]
        column = names if isinstance(names, str) else names[0]
        frame[column] = frame[column].astype(str) + f" ({seed})"
    to.mkdir(parents=True, exist_ok=True)
    frame.to_csv(to / case.source.name, index=False)
    return Case(case.name, to / case.source.name, config)


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
    """One case: the rows, and what each contender says of the held-out ones."""

    def __init__(self, case: Case) -> None:
        self.config, self.source = case.config, case.source
        settings = GroupSettings.from_config(self.config)
        table = load_table(self.source, settings)
        self.frame = table.frame
        self.problem = define_problem(self.frame[settings.target], settings)
        self.split = split_rows(table, settings)

    def ours(self, algorithm: str) -> tuple[Scores, str, float]:
        """Choose and fit; return the scores, the algorithm taken and the CPU seconds."""
        config = self.config if algorithm == DEFAULT else {**self.config, "algorithm": algorithm}
        prepared = prepare_rows(self.source, GroupSettings.from_config(config))
        start = time.process_time()
        fitted = fit_model(prepared)
        seconds = time.process_time() - start
        self.schema = fitted.model.schema
        rows = with_made_features(self.frame[self.split.test], self.schema)
        return fitted.model.score(rows)[0], fitted.configured.algorithm.name, seconds

    def theirs(self, name: str) -> tuple[Scores, float]:
        """Fit a peer to the same rows and features; return its scores and the CPU seconds of the fit."""
        aligned, _ = align(with_made_features(self.frame, self.schema), self.schema.features)
        rows = aligned.infer_objects().fillna(
            {c: "missing" for c in aligned.columns if aligned[c].dtype == object}
        )
        peer = plain_peers(self.problem.task)[name]
        start = time.process_time()
        peer.fit(rows[self.split.train], self.problem.y[self.split.train])
        seconds = time.process_time() - start
        return scores_of(peer, rows[self.split.test], self.problem.task), seconds

    def judge(self, scores: Scores) -> dict[str, float]:
        """Return every score on the held-out rows."""
        return compute_scores(self.problem.task, self.problem.y[self.split.test], scores)

    def difference(self, ours: Scores, theirs: Scores, metric: str) -> tuple[float, float]:
        """Return the 95 % interval of the paired difference in one score."""
        y, task = self.problem.y[self.split.test], self.problem.task

        def differences_among(rows: np.ndarray) -> ScoreRows:
            one, other = (resampled_scores(task, y[rows], side.take(rows)) for side in (ours, theirs))
            return lambda drawn: {metric: one(drawn).get(metric, np.nan) - other(drawn).get(metric, np.nan)}

        members = self.split.members[self.split.test]
        return bootstrap_intervals(differences_among, members, np.random.default_rng(0))[metric]


def measure(case: Case, algorithms: Sequence[str]) -> list[dict[str, Any]]:
    """Return a line per algorithm: our score, the better peer's, and the paired interval; or the refusal."""
    try:
        trial = Trial(case)
        with using_cores(1):  # on busy cores two threads take many times as long
            return _lines(case, trial, algorithms)
    except MlopsError as error:
        return [{"set": case.name, "refused": str(error)}]


def _lines(case: Case, trial: Trial, algorithms: Sequence[str]) -> list[dict[str, Any]]:
    ours = {algorithm: trial.ours(algorithm) for algorithm in algorithms}
    metric = PRIMARY[trial.problem.task]
    fits = {name: trial.theirs(name) for name in plain_peers(trial.problem.task)}
    theirs, peer_seconds = {name: fits[name][0] for name in fits}, sum(fits[name][1] for name in fits)
    best = max(theirs, key=lambda name: trial.judge(theirs[name])[metric])
    lines = []
    for algorithm, (scores, taken, seconds) in ours.items():
        low, high = trial.difference(scores, theirs[best], metric)
        lines.append(
            {
                "set": case.name,
                "metric": metric,
                "algorithm": algorithm,
                "took": taken,
                "ours": trial.judge(scores)[metric],
                "peer": trial.judge(theirs[best])[metric],
                "best": best,
                "low": low,
                "high": high,
                "seconds": seconds,
                "peer_seconds": peer_seconds,
            }
        )
    return lines


def render(examples: list[dict[str, Any]], unseen: list[dict[str, Any]]) -> str:
    """Return the tables, and in how many splits we were clearly worse."""
    question = (__doc__ or "").splitlines()[0]
    measured = [line for line in unseen if "refused" not in line]
    refused = {line["set"]: line["refused"] for line in unseen if "refused" in line}
    parts = [
        f"# Quality\n\n{question}\n",
        "## The sets that defaults were chosen on\n",
        *_table(examples),
        "\n## Sets that no default was chosen on, without a set algorithm\n",
        *_table(measured),
        "\nRefused in a sentence:\n",
        *(f"- {name}: {sentence}" for name, sentence in refused.items()),
        f"\nMeasured on {os.cpu_count()} cores that others used too. Decision: {DECISION}\n",
    ]
    return "\n".join(parts)


def _table(lines: list[dict[str, Any]]) -> list[str]:
    head = "| set | split | score | algorithm | ours | better peer | difference, 95 % | CPU s | both peers |"
    rows = [head, "|---|---|---|---|---|---|---|---|---|"]
    seen: dict[tuple[str, str], int] = {}
    for line in lines:
        place = (line["set"], line["algorithm"])
        seen[place] = seen.get(place, -1) + 1
        took = f" ({line['took']})" if line["took"] != line["algorithm"] else ""
        rows.append(
            f"| {line['set']} | {seen[place]} | {line['metric']} | {line['algorithm']}{took} "
            f"| {line['ours']:.4f} | {line['peer']:.4f} ({line['best']}) "
            f"| {line['low']:+.4f} to {line['high']:+.4f} "
            f"| {line['seconds']:.2f} | {line['peer_seconds']:.2f} |"
        )
    worse, better = (sum(line[end] * sign < 0 for line in lines) for end, sign in (("high", 1), ("low", -1)))
    counts = f"clearly worse {worse}, clearly better {better}"
    ratios = [line["seconds"] / line["peer_seconds"] for line in lines if line["algorithm"] == DEFAULT]
    cost = f"median {np.median(ratios):.1f}, most {max(ratios):.1f}" if ratios else "not measured"
    return [
        *rows,
        f"\nAgainst the better peer (interval wholly on one side of 0): {counts}, of {len(lines)}.",
        f"CPU seconds of the default, divided by those of both peers: {cost}.",
    ]


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="where the CSV files and their JSON lie")
    parser.add_argument("--seeds", type=int, default=3, help="splits of each file")
    parser.add_argument("--algorithms", nargs="+", default=[DEFAULT], choices=[DEFAULT, *ALGORITHMS])
    parser.add_argument(
        "--only", default="", help="only sets whose name contains this; nothing is stored then"
    )
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    examples: list[dict[str, Any]] = []
    unseen: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.seeds):
            for case in example_cases(arguments.folder, seed, Path(folder) / "examples"):
                if arguments.only in case.name:
                    examples += measure(case, arguments.algorithms)
            for number, one in enumerate(SETS):
                if arguments.only in one.name:
                    unseen += measure(unseen_case(one, seed, Path(folder) / str(number)), [DEFAULT])
                    print(unseen[-1], file=sys.stderr)
    in_order = {one.name: number for number, one in enumerate(SETS)}
    table = render(
        sorted(examples, key=lambda line: line["set"]), sorted(unseen, key=lambda line: in_order[line["set"]])
    )
    print(table)
    if not arguments.only:
        write_page("training_quality", table)


if __name__ == "__main__":
    main()
