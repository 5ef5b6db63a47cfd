"""Question: do the 95 % intervals of the scores hold the true score in 95 % of the samples?

    python -m benchmarks score_intervals -- [--samples 300]

Held-out rows are drawn from populations of known errors and probabilities; the true score is that of a
million rows. Beside ours there are percentile intervals of the same number of draws. The table goes to
benchmarks/results/score_intervals.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.pages import write_page
from mlops.models.settings.group import TaskName
from mlops.models.training import Interval
from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.evaluation.bootstrap import N_RESAMPLES, bootstrap_intervals, resampled_scores
from mlops.pipelines.evaluation.heavy_tails import rmse_interval
from mlops.pipelines.evaluation.scores import compute_scores

_N_TRUE = 1_000_000
_RMSE = "neg_root_mean_squared_error"
type Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, Scores]]


@dataclass(frozen=True, slots=True)
class Case:
    """A population, how many rows are drawn of it, and the score whose interval is judged."""

    name: str
    task: TaskName
    score: str
    n_rows: int
    draw: Draw


def _errors(of: Callable[[np.random.Generator, int], np.ndarray]) -> Draw:
    def draw(rng: np.random.Generator, n_rows: int) -> tuple[np.ndarray, Scores]:
        predicted = rng.normal(0.0, 1.0, n_rows)
        return predicted + of(rng, n_rows), Scores(predicted)

    return draw


def _classes(shares: tuple[float, ...], distance: float) -> Draw:
    """Return classes of these shares; the probabilities are those of normal distributions so far apart."""

    def draw(rng: np.random.Generator, n_rows: int) -> tuple[np.ndarray, Scores]:
        y = rng.choice(len(shares), n_rows, p=shares)
        values = rng.normal(size=(n_rows, len(shares)))
        values[np.arange(n_rows), y] += distance
        likelihood = np.exp(distance * values) * np.array(shares)
        probabilities = likelihood / likelihood.sum(axis=1, keepdims=True)
        predicted = probabilities.argmax(axis=1)
        if len(shares) == 2:
            predicted = (probabilities[:, 1] >= 0.3).astype(np.int64)
        return y, Scores(predicted, probabilities)

    return draw


_RARE, _FOUR = _classes((0.9, 0.1), 1.2), _classes((0.6, 0.25, 0.1, 0.05), 1.2)
_LOGNORMAL = _errors(lambda rng, n: rng.lognormal(0.0, 1.0, n) - np.exp(0.5))
CASES = (
    Case("RMSE, normal errors", "regression", _RMSE, 300, _errors(lambda rng, n: rng.normal(size=n))),
    Case("RMSE, errors of t(3)", "regression", _RMSE, 300, _errors(lambda rng, n: rng.standard_t(3, n))),
    Case("RMSE, lognormal errors", "regression", _RMSE, 300, _LOGNORMAL),
    Case("RMSE, lognormal errors", "regression", _RMSE, 2_000, _LOGNORMAL),
    Case("MAE, lognormal errors", "regression", "neg_mean_absolute_error", 300, _LOGNORMAL),
    Case("F1, 10 % positive", "binary", "f1", 200, _RARE),
    Case("F1, 10 % positive", "binary", "f1", 1_000, _RARE),
    Case("ROC AUC, 10 % positive", "binary", "roc_auc", 200, _RARE),
    Case("average precision, 10 % positive", "binary", "average_precision", 400, _RARE),
    Case("log loss, 10 % positive", "binary", "neg_log_loss", 300, _RARE),
    Case("ROC AUC of four classes, 5 % in one", "multiclass", "roc_auc_ovr", 200, _FOUR),
    Case("balanced accuracy of four classes", "multiclass", "balanced_accuracy", 300, _FOUR),
)


def true_score(case: Case) -> float:
    """Return the score of very many rows."""
    return compute_scores(case.task, *case.draw(np.random.default_rng(1), _N_TRUE))[case.score]


def coverage(case: Case, n_samples: int, rng: np.random.Generator) -> tuple[float, float]:
    """Return the share of samples whose interval holds the true score: ours, and the percentile one."""
    true = true_score(case)
    hits = np.zeros((n_samples, 2))
    for sample in range(n_samples):
        y, scores = case.draw(rng, case.n_rows)
        for method, interval in enumerate(
            (score_interval(case, y, scores, rng), percentile(case, y, scores, rng))
        ):
            hits[sample, method] = interval[0] <= true <= interval[1]
    ours, by_percentile = hits.mean(axis=0).tolist()
    return ours, by_percentile


def score_interval(case: Case, y: np.ndarray, scores: Scores, rng: np.random.Generator) -> Interval:
    """Return the interval as the evaluation has it."""
    members = np.arange(len(y))
    if case.score == _RMSE and (ends := rmse_interval(y - scores.predicted, members, rng)):
        return -ends[1], -ends[0]
    intervals = bootstrap_intervals(
        lambda rows: resampled_scores(case.task, y[rows], scores.take(rows)), members, rng
    )
    return intervals[case.score]


def percentile(case: Case, y: np.ndarray, scores: Scores, rng: np.random.Generator) -> Interval:
    """Return the interval between two quantiles of the draws."""
    of_rows = resampled_scores(case.task, y, scores)
    draws = (of_rows(rng.integers(0, len(y), len(y))) for _ in range(N_RESAMPLES))
    low, high = np.percentile([draw[case.score] for draw in draws if case.score in draw], (2.5, 97.5))
    return float(low), float(high)


def main() -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--samples", type=int, default=300)
    n_samples = parser.parse_args().samples
    lines = [
        "# Do the 95 % intervals of the scores hold the true score?",
        "",
        f"Share of {n_samples} samples; chance moves it by {1.96 * (0.05 * 0.95 / n_samples) ** 0.5:.1%}.",
        "",
        "| Score | Rows | Ours | Percentile |",
        "|---|---:|---:|---:|",
    ]
    rng = np.random.default_rng(0)
    for case in CASES:
        ours, by_percentile = coverage(case, n_samples, rng)
        lines.append(f"| {case.name} | {case.n_rows:,} | {ours:.1%} | {by_percentile:.1%} |")
        print(lines[-1], flush=True)
    write_page("score_intervals", "\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
