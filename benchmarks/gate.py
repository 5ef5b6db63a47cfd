"""Question: how often does a retrained model that is not better than the champion win by noise?

    python -m benchmarks gate -- [--retrainings 200]

Champion and candidate are trained on different draws of one distribution (eight numbers, one row in ten
positive) and scored on the same held-out rows, as in a training job. Beside equal ones: a champion of a tenth
of the rows, and one that lacks the best column. The table goes to benchmarks/results/gate.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.pages import write_page
from mlops.models.settings.gate import GateRule
from mlops.models.settings.group import GroupSettings
from mlops.models.training import ChampionComparison, EvaluationMetrics
from mlops.pipelines.artifacts.model import FeatureColumn, Scores
from mlops.pipelines.evaluation.champion import compare
from mlops.pipelines.evaluation.evaluation import dummy_scores, evaluate
from mlops.pipelines.evaluation.gate import judge
from mlops.pipelines.evaluation.judged_rows import JudgedRows
from mlops.pipelines.features.task import Problem
from mlops.pipelines.fitting.fitting import fit_pipeline

N_FEATURES = 8
N_TRAINED = 2_000
FEATURES = tuple(FeatureColumn(f"x{number}", "numeric") for number in range(N_FEATURES))
COEFFICIENTS = np.array([0.9, 0.6, 0.5, 0.4, 0.3, 0.2, 0.0, 0.0])
INTERCEPT = -2.9  # one row in ten is positive

RULES: dict[str, Callable[[EvaluationMetrics, ChampionComparison], bool]] = {
    "0.02 more ROC-AUC, no interval": lambda _, comparison: comparison.metrics["roc_auc"].difference >= 0.02,
    "default": lambda metrics, comparison: judge(metrics, comparison).passed,
    "`min_absolute_change = 0.02`": lambda metrics, comparison: _passes(metrics, comparison, 0.02),
    "`min_absolute_change = -0.05`": lambda metrics, comparison: _passes(metrics, comparison, -0.05),
}


@dataclass(frozen=True)
class Champion:
    """What the champion was trained on."""

    n_rows: int = N_TRAINED
    features: tuple[FeatureColumn, ...] = FEATURES


CHAMPIONS = {
    "an equal one": Champion(),
    "one of a tenth of the rows": Champion(n_rows=N_TRAINED // 10),
    "one without the best column": Champion(features=FEATURES[1:]),
}
CASES = [("LogisticRegression", name) for name in CHAMPIONS] + [("HistGradientBoosting", "an equal one")]


def retraining(
    rng: np.random.Generator, n_held_out: int, champion: Champion, algorithm: str
) -> tuple[EvaluationMetrics, ChampionComparison]:
    """Train both on draws of their own, and score them on the same held-out rows."""
    rows, truth = draw(rng, n_held_out)
    ours = trained(rng, N_TRAINED, FEATURES, algorithm)(rows)
    theirs = trained(rng, champion.n_rows, champion.features, algorithm)(rows)
    problem = Problem("binary", "y", truth, ("0", "1"), 2)
    members = np.arange(n_held_out)
    dummy = dummy_scores(problem, draw(rng, 200)[1], n_held_out)
    judged = JudgedRows(problem, truth, ours, members)
    metrics = evaluate(judged, dummy, threshold=0.5, rng=rng.spawn(1)[0])
    return metrics, compare(judged, theirs, rng=rng.spawn(1)[0])


def draw(
    rng: np.random.Generator, n_rows: int, intercept: float = INTERCEPT
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return rows and their truth."""
    values = rng.normal(size=(n_rows, N_FEATURES))
    chance = 1.0 / (1.0 + np.exp(-(values @ COEFFICIENTS + intercept)))
    frame = pd.DataFrame(values, columns=[feature.name for feature in FEATURES])
    return frame, (rng.random(n_rows) < chance).astype(np.int64)


def trained(
    rng: np.random.Generator,
    n_rows: int,
    features: tuple[FeatureColumn, ...],
    algorithm: str,
    intercept: float = INTERCEPT,
) -> Callable[[pd.DataFrame], Scores]:
    """Return the scoring function of a model of fresh rows."""
    rows, truth = draw(rng, n_rows, intercept)
    names = [feature.name for feature in features]
    fitted = fit_pipeline(rows[names], truth, features, GroupSettings(algorithm=algorithm), "binary").pipeline

    def score(frame: pd.DataFrame) -> Scores:
        probabilities = fitted.predict_proba(frame[names])
        return Scores((probabilities[:, 1] >= 0.5).astype(np.int64), probabilities)

    return score


def _passes(metrics: EvaluationMetrics, comparison: ChampionComparison, change: float) -> bool:
    return judge(metrics, comparison, {"roc_auc": GateRule(min_absolute_change=change)}).passed


def measure(n_retrainings: int, n_held_out: int, champion: Champion, algorithm: str) -> Mapping[str, float]:
    """Return the share of retrainings that each rule lets pass."""
    rng = np.random.default_rng(n_held_out)
    passed = dict.fromkeys(RULES, 0)
    for _ in range(n_retrainings):
        metrics, comparison = retraining(rng, n_held_out, champion, algorithm)
        for name, rule in RULES.items():
            passed[name] += rule(metrics, comparison)
    return {name: count / n_retrainings for name, count in passed.items()}


def render(n_retrainings: int) -> str:
    """Return the table: one line per champion and number of held-out rows."""
    lines = [
        "# The gate against chance",
        "",
        (__doc__ or "").splitlines()[0],
        "",
        f"Share of {n_retrainings} retrainings that pass; {N_TRAINED:,} training rows, one in ten positive.",
        "",
        f"| algorithm | champion | held out | {' | '.join(RULES)} |",
        "|---|---|---|" + "---|" * len(RULES),
    ]
    for algorithm, name in CASES:
        for n_held_out in (200, 1_000):
            shares = measure(n_retrainings, n_held_out, CHAMPIONS[name], algorithm)
            cells = " | ".join(f"{share:.1%}" for share in shares.values())
            lines.append(f"| {algorithm} | {name} | {n_held_out:,} | {cells} |")
            print(lines[-1], file=sys.stderr)
    decision = (
        "Decision: without a rule of its own a group's candidate passes only when the paired interval of the "
        "difference is above 0. A margin below 0 lets equal models of newer data pass."
    )
    return "\n".join([*lines, "", decision, ""])


def main() -> None:
    """Measure, print, and store the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--retrainings", type=int, default=200)
    table = render(parser.parse_args().retrainings)
    print(table)
    write_page("gate", table)


if __name__ == "__main__":
    main()
