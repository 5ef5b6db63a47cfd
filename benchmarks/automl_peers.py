"""Question: is the default better than FLAML and AutoGluon (without neural networks), given the same CPU?

    python -m benchmarks automl_peers -- [FOLDER] --peer flaml=PYTHON --peer autogluon=PYTHON [--seeds 1]
                                         [--only NAME ...] [--trials N] [--share 1.0]

Each PYTHON is the interpreter of an environment that has the peer; `automl_peers_candidates.py` runs in it.
The sets, the split, the features and the paired intervals are those of `training_quality.py`. A peer gets the
CPU seconds that ours took to choose and fit as its time limit, at least a second (FLAML) or ten (AutoGluon,
which trains no model in less); its clock is that of the processor, so that a busy machine takes nothing away
from it. Everything runs on one thread. With `--trials` ours is a search of so many trials, and the table goes
to benchmarks/results/automl_search.md; with `--share` 0.67 the peer gets that share of our CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pages import write_page
from benchmarks.training_quality import DEFAULT, Case, Trial, example_cases, unseen_case
from benchmarks.unseen_sets import SETS
from mlops.algorithms.cores import using_cores
from mlops.models.errors import MlopsError
from mlops.pipelines.artifacts.model import Scores, align, with_made_features
from mlops.pipelines.evaluation.scores import PRIMARY

SCRIPT = Path(__file__).with_name("automl_peers_candidates.py")
MIN_SECONDS = {"flaml": 1.0, "autogluon": 10.0}
TIMEOUT_SECONDS = 900
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def cases(folder: Path | None, seed: int, to: Path) -> Iterator[Case]:
    """Yield the tables of the folder, then the unseen ones."""
    yield from example_cases(folder, seed, to / "examples")
    for number, unseen in enumerate(SETS):
        yield unseen_case(unseen, seed, to / str(number))


def with_search(case: Case, n_trials: int) -> Case:
    """Return the case with a search among our settings, unless it has no trials."""
    return replace(case, config={**case.config, "search": {"trials": n_trials}}) if n_trials else case


def theirs(trial: Trial, peer: str, python: str, seconds: float, to: Path) -> tuple[Scores, float]:
    """Fit a peer in its own environment; return its scores on the held-out rows, and the CPU seconds."""
    to.mkdir(parents=True)
    features, _ = align(with_made_features(trial.frame, trial.schema), trial.schema.features)
    table = features.assign(**{"(target)": trial.problem.y})
    for name, rows in (("train", trial.split.train), ("test", trial.split.test)):
        table[rows].to_csv(to / f"{name}.csv", index=False)
    texts = [column.name for column in trial.schema.features if column.kind != "numeric"]
    limit = max(seconds, MIN_SECONDS[peer])
    facts = {"task": trial.problem.task, "texts": texts, "seconds": limit}
    (to / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    done = subprocess.run(
        [python, str(SCRIPT), peer, str(to)],
        env={**os.environ, **ONE_THREAD},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr else "no message")
    predicted = np.load(to / "predicted.npy")
    used = json.loads((to / "used.json").read_text(encoding="utf-8"))["seconds"]
    if trial.problem.task == "regression":
        return Scores(predicted), used
    return Scores(predicted.argmax(axis=1), predicted), used


def measure(case: Case, peers: Mapping[str, str], share: float, to: Path) -> Iterator[dict[str, Any]]:
    """Yield a line for each peer: both scores, the paired interval, the CPU seconds; or what went wrong."""
    try:
        trial = Trial(case)
        with using_cores(1):
            ours, algorithm, seconds = trial.ours(DEFAULT)
    except MlopsError:
        return
    metric = PRIMARY[trial.problem.task]
    for peer, python in peers.items():
        line = {"set": case.name, "metric": metric, "algorithm": algorithm, "peer": peer, "seconds": seconds}
        line["ours"] = trial.judge(ours)[metric]
        try:
            scores, used = theirs(trial, peer, python, share * seconds, to / peer)
        except subprocess.TimeoutExpired:
            yield {**line, "error": f"not finished after {TIMEOUT_SECONDS} s by the clock"}
            continue
        except RuntimeError as error:
            yield {**line, "error": f"no model: {error}"}
            continue
        low, high = trial.difference(ours, scores, metric)
        their_score = trial.judge(scores)[metric]
        yield {**line, "theirs": their_score, "low": low, "high": high, "peer_seconds": used}


def render(lines: Sequence[dict[str, Any]]) -> str:
    """Return a table for each peer with its counts."""
    parts = [f"# AutoML peers\n\n{(__doc__ or '').splitlines()[0].removeprefix('Question: ')}\n"]
    for peer in dict.fromkeys(line["peer"] for line in lines):
        parts += [f"## {peer}\n", *_table([line for line in lines if line["peer"] == peer])]
    parts.append(
        "\nOne split of each set; everything on one thread of a machine that others used too. A difference is"
        " ours minus theirs, with its paired 95 % interval on the same held-out rows. The peers optimise the"
        " same score, except FLAML for several classes, which has macro F1 and not balanced accuracy."
    )
    return "\n".join(parts) + "\n"


def _table(lines: Sequence[dict[str, Any]]) -> list[str]:
    rows = [
        "| set | score | ours | theirs | difference, 95 % | CPU s | theirs |",
        "|---|---|---|---|---|---|---|",
    ]
    measured = [line for line in lines if "error" not in line]
    for line in lines:
        start = f"| {line['set']} | {line['metric']} | {line['ours']:.4f} ({line['algorithm']}) "
        if "error" in line:
            rows.append(f"{start}| {line['error'][:80]} | | {line['seconds']:.2f} | |")
            continue
        rows.append(
            f"{start}| {line['theirs']:.4f} | {line['low']:+.4f} to {line['high']:+.4f} "
            f"| {line['seconds']:.2f} | {line['peer_seconds']:.2f} |"
        )
    higher = sum(line["ours"] >= line["theirs"] for line in measured)
    better = sum(line["low"] > 0 for line in measured)
    worse = sum(line["high"] < 0 for line in measured)
    differences = [line["ours"] - line["theirs"] for line in measured]
    mean, median = (float(of(differences)) if differences else 0.0 for of in (np.mean, np.median))
    ratios = [line["peer_seconds"] / line["seconds"] for line in measured]
    ratio = float(np.median(ratios)) if ratios else 0.0
    return [
        *rows,
        f"\nOurs is at least as good on {higher} of {len(measured)} sets; clearly better (interval above 0) "
        f"on {better}, clearly worse on {worse}. Mean difference {mean:+.4f}, median {median:+.4f}. The peer "
        f"took {ratio:.1f} times our CPU seconds in the median.\n",
    ]


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="where the CSV files and their JSON lie")
    parser.add_argument("--peer", action="append", default=[], help="flaml=PYTHON or autogluon=PYTHON")
    parser.add_argument("--seeds", type=int, default=1, help="splits of each file")
    parser.add_argument("--only", nargs="+", default=[""], help="only sets whose name contains one of these")
    parser.add_argument("--trials", type=int, default=0, help="trials of our search (default: no search)")
    parser.add_argument("--share", type=float, default=1.0, help="of our CPU seconds, for the peer")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    peers = dict(entry.split("=", 1) for entry in arguments.peer)
    lines: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.seeds):
            for number, case in enumerate(cases(arguments.folder, seed, Path(folder) / f"sets-{seed}")):
                if any(name in case.name for name in arguments.only):
                    searched = with_search(case, arguments.trials)
                    to = Path(folder) / f"fit-{seed}-{number}"
                    for line in measure(searched, peers, arguments.share, to):
                        print(line, file=sys.stderr, flush=True)
                        lines.append(line)
    table = render(lines)
    if arguments.trials:
        table += (
            f"\nOurs is a search of {arguments.trials} trials; the peer had {arguments.share:.0%} of its CPU "
        )
        table += "seconds, at least a second.\n"
    print(table)
    if peers and (arguments.trials or arguments.only == [""]):
        write_page("automl_search" if arguments.trials else "automl_peers", table)


if __name__ == "__main__":
    main()
