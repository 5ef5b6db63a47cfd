"""Question: how often does the gate err when a group is trained again and again on one held-out part?

    python -m benchmarks gate_looks -- [--sequences 100]

One champion and 20 candidates, each trained on 2,000 rows of its own, are scored on the same held-out rows.
Beside equal candidates: some that are better or worse by 0.03 of ROC-AUC, because the other side lacks a
column. The second table is of a champion that is compared by its stored score, on held-out rows of its own.
The tables go to benchmarks/results/gate_looks.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.gate import FEATURES, INTERCEPT, N_TRAINED, draw, trained
from benchmarks.pages import write_page
from mlops.models.training import ChampionComparison, EvaluationMetrics
from mlops.pipelines.artifacts.model import FeatureColumn, Scores
from mlops.pipelines.evaluation.champion import compare
from mlops.pipelines.evaluation.evaluation import dummy_scores, evaluate
from mlops.pipelines.evaluation.gate import judge
from mlops.pipelines.evaluation.judged_rows import JudgedRows
from mlops.pipelines.evaluation.stored_score import not_compared
from mlops.pipelines.features.task import Problem

N_LOOKS = 20
HELD_OUT = (1_000,)
ALGORITHM = "LogisticRegression"
POORER = tuple(feature for feature in FEATURES if feature.name != "x1")  # lacks 0.03 of ROC-AUC
INTERCEPTS = {"10 %": INTERCEPT, "30 %": -1.2}


@dataclass(frozen=True)
class Case:
    """The features of champion and candidate."""

    champion: tuple[FeatureColumn, ...] = FEATURES
    candidate: tuple[FeatureColumn, ...] = FEATURES


CASES = {"equal": Case(), "better by 0.03": Case(champion=POORER), "worse by 0.03": Case(candidate=POORER)}


def sequence(
    rng: np.random.Generator, case: Case, n_held_out: int, intercept: float, looks: range
) -> Iterator[ChampionComparison]:
    """Yield the comparisons of candidates with one champion on the same rows, at these looks."""
    rows, truth = draw(rng, n_held_out, intercept)
    champion = trained(rng, N_TRAINED, case.champion, ALGORITHM, intercept)(rows)
    problem = Problem("binary", "y", truth, ("0", "1"), 2)
    for look in looks:
        candidate = trained(rng, N_TRAINED, case.candidate, ALGORITHM, intercept)(rows)
        judged = JudgedRows(problem, truth, candidate, np.arange(n_held_out))
        yield replace(compare(judged, champion, rng=rng.spawn(1)[0]), looks=look)


def is_promoted(comparison: ChampionComparison) -> bool:
    """Whether the gate finds the candidate better than the champion."""
    metrics = EvaluationMetrics(
        roc_auc=0.8, primary="roc_auc", intervals={"roc_auc": (0.7, 0.9)}, dummy={"roc_auc": 0.5}
    )
    return judge(metrics, comparison).passed


def was_promoted(comparison: ChampionComparison) -> bool:
    """Whether the gate of release 0.2 did: by a 95 % interval, whatever the number of looks."""
    return comparison.metrics["roc_auc"].interval[0] > 0.0


def measure_sequences(n_sequences: int, n_held_out: int, intercept: float) -> dict[str, float]:
    """Return the shares of sequences of equal candidates that hold a promotion, and of promoted others."""
    rng = np.random.default_rng(n_held_out)
    every, some = range(1, N_LOOKS + 1), range(1, N_LOOKS + 1, N_LOOKS - 1)
    equal = [list(sequence(rng, CASES["equal"], n_held_out, intercept, every)) for _ in range(n_sequences)]
    shares = {
        "equal, before": np.mean([any(map(was_promoted, looks)) for looks in equal]),
        "equal": np.mean([any(map(is_promoted, looks)) for looks in equal]),
    }
    for name in ("better by 0.03", "worse by 0.03"):
        drawn = [list(sequence(rng, CASES[name], n_held_out, intercept, some)) for _ in range(n_sequences)]
        for position, look in enumerate(some):
            shares[f"{name}, look {look}"] = np.mean([is_promoted(looks[position]) for looks in drawn])
    return {name: float(share) for name, share in shares.items()}


def score(
    rng: np.random.Generator, features: tuple[FeatureColumn, ...], n: int, intercept: float
) -> EvaluationMetrics:
    """Train a model and score it on held-out rows of its own."""
    rows, truth = draw(rng, n, intercept)
    scores: Scores = trained(rng, N_TRAINED, features, ALGORITHM, intercept)(rows)
    dummy = dummy_scores(Problem("binary", "y", truth, ("0", "1"), 2), draw(rng, 200, intercept)[1], n)
    problem = Problem("binary", "y", truth, ("0", "1"), 2)
    judged = JudgedRows(problem, truth, scores, np.arange(n))
    return evaluate(judged, dummy, threshold=0.5, rng=rng.spawn(1)[0])


def measure_stored(n_pairs: int, n_held_out: int, intercept: float) -> dict[str, float]:
    """Return the shares of candidates that pass beside a champion that is compared by its stored score."""
    rng = np.random.default_rng(n_held_out)
    worst = tuple(feature for feature in FEATURES if feature.name != "x0")  # lacks 0.08
    cases = {**CASES, "worse by 0.08": Case(candidate=worst)}
    return {
        name: float(
            np.mean(
                [
                    judge(
                        score(rng, case.candidate, n_held_out, intercept),
                        not_compared("v1.0.0", score(rng, case.champion, n_held_out, intercept)),
                    ).passed
                    for _ in range(n_pairs)
                ]
            )
        )
        for name, case in cases.items()
    }


def render(n_sequences: int) -> str:
    """Return both tables."""
    lines = ["# Repeated looks at one held-out part", "", (__doc__ or "").splitlines()[0], ""]
    lines += [
        f"Shares of {n_sequences} sequences of {N_LOOKS} candidates; of equal ones, those with a promotion."
    ]
    lines += _table(measure_sequences, n_sequences)
    lines += [
        f"Shares of {n_sequences} candidates that pass beside a champion with a stored score only; a person"
    ]
    lines += ["decides about them."]
    lines += _table(measure_stored, n_sequences)
    return "\n".join(lines)


def _table(measure: Callable[[int, int, float], dict[str, float]], n_sequences: int) -> list[str]:
    lines: list[str] = []
    for positives, intercept in INTERCEPTS.items():
        for n_held_out in HELD_OUT:
            shares = measure(n_sequences, n_held_out, intercept)
            if not lines:
                lines = [
                    "",
                    f"| positive | held out | {' | '.join(shares)} |",
                    "|---|---|" + "---|" * len(shares),
                ]
            cells = " | ".join(f"{share:.1%}" for share in shares.values())
            lines.append(f"| {positives} | {n_held_out:,} | {cells} |")
            print(lines[-1], file=sys.stderr)
    return [*lines, ""]


def main() -> None:
    """Measure, print, and store the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sequences", type=int, default=100)
    page = render(parser.parse_args().sequences)
    print(page)
    write_page("gate_looks", page)


if __name__ == "__main__":
    main()
