"""Question: how near to the score that is realised later are our estimate without labels and NannyML's?

    python -m benchmarks estimates -- FOLDER --peer PYTHON [--seeds 3] [--only NAME]

FOLDER is that of `training_quality.py`; PYTHON is the interpreter of an environment that has NannyML, where
`estimates_candidates.py` runs. Each table is split and trained several times without a set algorithm. Half of
the persons of the held-out rows are the reference: NannyML learns from their outcomes, and the error of our
numbers is that of them; our estimate of classes needs no reference. Periods are drawn from the other half.
Ours are the functions of the night: DuckDB counts the predictions of the ledger, and the expected counts are
scored. The page goes to benchmarks/results/estimates.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.estimates_periods import N_PERIODS, Periods, draw_periods, ours, theirs
from benchmarks.outputs import trained
from benchmarks.pages import write_page
from benchmarks.training_quality import Case, example_cases
from mlops.models.scoring.quality import QualityScore


def measure_periods(periods: Periods, python: str, to: Path) -> Iterator[dict[str, Any]]:
    """Yield a line for each score: the errors of each estimate, in how many periods it holds the truth."""
    our_estimates, our_seconds = ours(periods, to / "ledger")
    their_estimates, their_seconds = theirs(periods, python, to / "nannyml")
    reference = periods.realised(periods.reference)
    realised = [periods.realised(rows) for rows in periods.of_each]
    for metric in periods.metrics:
        truth = np.array([scores[metric] for scores in realised])
        by_whom = {"ours": our_estimates[metric], "NannyML": their_estimates[metric]}
        yield {
            "rows": periods.size,
            "metric": metric,
            "truth": truth,
            "errors": {
                **{name: np.array([one.value for one in made]) - truth for name, made in by_whom.items()},
                "held-out": reference[metric] - truth,
            },
            "inside": {name: held_truth(made, truth) for name, made in by_whom.items()},
            "seconds": {"ours": our_seconds, **their_seconds},
        }


def held_truth(made: Sequence[QualityScore], truth: np.ndarray) -> np.ndarray:
    """Whether the interval of each period contains the realised score."""
    ends = np.array([one.interval or (np.nan, np.nan) for one in made])
    inside: np.ndarray = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    return inside


def measure(case: Case, seed: int, python: str, to: Path) -> Iterator[dict[str, Any]]:
    """Train on a split; yield its lines, with the inputs of training and with others."""
    held_out = trained(case, {})
    for inputs in ("same", "other"):
        rng = np.random.default_rng(seed)
        periods = draw_periods(held_out, is_shifted=inputs == "other", rng=rng)
        for line in measure_periods(periods, python, to / inputs):
            yield {"set": case.name, "inputs": inputs, "algorithm": held_out.algorithm, **line}


def main() -> None:
    """Measure, print, and keep the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the CSV files and their JSON are")
    parser.add_argument("--peer", required=True, help="the interpreter that has NannyML")
    parser.add_argument("--seeds", type=int, default=3, help="splits of each file")
    parser.add_argument(
        "--only", default="", help="only sets whose name contains this; nothing is stored then"
    )
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    lines: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.seeds):
            for case in example_cases(arguments.folder, seed, Path(folder) / f"sets-{seed}"):
                if arguments.only in case.name:
                    lines += measure(case, seed, arguments.peer, Path(folder) / f"{case.name}-{seed}")
                    print(case.name, seed, lines[-1]["algorithm"], file=sys.stderr, flush=True)
    page = render(lines)
    print(page)
    if not arguments.only:
        write_page("estimates", page)


def render(lines: Sequence[dict[str, Any]]) -> str:
    """Return the page."""
    keys = dict.fromkeys(map(_key, sorted(lines, key=lambda line: (line["set"], line["metric"]))))
    by_key = [[line for line in lines if _key(line) == key] for key in keys]
    nearer = sum(mean_error(splits, "ours") < mean_error(splits, "NannyML") for splits in by_key)
    summary = f"Ours is nearer to the realised score in {nearer} of {len(by_key)} rows."
    return "\n".join([*HEAD, *map(_row, by_key), "", summary, "", *_costs(lines), "", NOTES, ""])


def mean_error(splits: Sequence[dict[str, Any]], name: str) -> float:
    """Return the mean absolute error of all periods."""
    return float(np.abs(np.concatenate([one["errors"][name] for one in splits])).mean())


def _key(line: dict[str, Any]) -> tuple[str, str, str]:
    return line["set"], line["metric"], line["inputs"]


def _row(splits: Sequence[dict[str, Any]]) -> str:
    """Return the row of the table: a set, a score and a kind of inputs, all splits together."""
    first = splits[0]
    errors = {name: np.concatenate([one["errors"][name] for one in splits]) for name in first["errors"]}
    inside = {name: np.concatenate([one["inside"][name] for one in splits]) for name in first["inside"]}
    realised = np.abs(np.concatenate([one["truth"] for one in splits])).mean()
    distances = [f"{mean_error(splits, name):.3g}" for name in errors]
    biases = [f"{errors[name].mean():+.3g}" for name in ("ours", "NannyML")]
    shares = [f"{of.mean():.0%}" for of in inside.values()]
    start = [first["set"], first["metric"].removeprefix("neg_"), first["inputs"], f"{len(errors['ours'])}"]
    return f"| {' | '.join([*start, f'{first["rows"]}', f'{realised:.3g}', *distances, *biases, *shares])} |"


def _costs(lines: Sequence[dict[str, Any]]) -> list[str]:
    """Return the table of CPU seconds; those of a set are the same in each of its lines."""
    rows = [
        "## CPU seconds for the estimates of all periods of a split, median\n",
        "| set | predictions | ours | NannyML, fit | NannyML, estimate | estimates, NannyML / ours |",
        "|---|---|---|---|---|---|",
    ]
    for name in sorted({line["set"] for line in lines}):
        taken = [line["seconds"] for line in lines if line["set"] == name]
        n = next(line["rows"] for line in lines if line["set"] == name) * N_PERIODS
        by_step = {step: float(np.median([one[step] for one in taken])) for step in taken[0]}
        ratio = by_step["estimate"] / by_step["ours"]
        seconds = " | ".join(f"{by_step[step]:.2f}" for step in ("ours", "fit", "estimate"))
        rows.append(f"| {name} | {n:,} | {seconds} | {ratio:.1f} |")
    return rows


HEAD = (
    "# Estimates of quality without labels\n",
    f"{(__doc__ or '').splitlines()[0]}\n",
    f"{N_PERIODS} periods of each split and kind of inputs, drawn from the same rows: they overlap, and",
    "differ less than those of other persons. An error is the estimate minus the realised score: its mean",
    "absolute value over all periods, and its mean (bias). Scores of numbers are absolute errors in the",
    "unit of the outcome, with a minus. `held-out`: the score of the reference is taken as the estimate.",
    "`other` inputs: rows with a high value of the number that goes most with the prediction are drawn",
    "four times as often.\n",
    "| set | score | inputs | periods | rows | realised | error, ours | NannyML | held-out | bias, ours "
    "| NannyML | inside 95 %, ours | NannyML |",
    f"|{'---|' * 13}",
)
NOTES = """\
CPU seconds are those of each process, without imports; ours include the reading of the ledger's file.
NannyML is 0.13.1 with its defaults: CBPE for classes, DLE for numbers. Its interval is 1.96 of its
sampling errors and does not contain the uncertainty of its reference. Evidently has no estimate without
labels, and is not in the table. Ours is not fitted: classes need no labelled reference, numbers only the
held-out error. Neither sees a change of how the outcome depends on the inputs. Ours says too low a ROC
AUC of rx_persistence; a likely cause, not measured, is that its probabilities are calibrated by models
of fewer rows than the final one.

Decision: the estimate stays as it is, beside a score that it never replaces, and is never an alarm."""


if __name__ == "__main__":
    main()
