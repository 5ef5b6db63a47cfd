"""The periods whose score `estimates.py` estimates, and the two that estimate it: ours, and NannyML."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from benchmarks.outputs import HeldOut
from mlops.infrastructure.duckdb_engine import connect
from mlops.ledger.labels.counting import JoinedPredictions
from mlops.ledger.labels.joining import JoinTerms, join_labels
from mlops.models.scoring.quality import QualityScore
from mlops.models.settings.group import TaskName
from mlops.monitoring.quality.measure import Measure
from mlops.pipelines.evaluation.evaluation import evaluate
from mlops.pipelines.evaluation.judged_rows import JudgedRows
from mlops.pipelines.evaluation.scores import compute_scores

SCRIPT = Path(__file__).with_name("estimates_candidates.py")
N_PERIODS, ROWS_OF_PERIOD = 40, 300
METRICS: Mapping[TaskName, tuple[str, ...]] = {
    "binary": ("roc_auc", "accuracy"),
    "multiclass": ("balanced_accuracy", "accuracy"),
    "regression": ("neg_mean_absolute_error",),
}
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
START = date(2026, 1, 1)
VERSION, ID = "v1.0.0", "row"

type Estimates = dict[str, list[QualityScore]]  # by metric, one for each period


@dataclass(frozen=True, slots=True)
class Periods:
    """Rows to estimate: the reference, and the periods, one after the other and each of `size` rows."""

    judged: JudgedRows
    features: pd.DataFrame
    reference: np.ndarray
    rows: np.ndarray
    size: int

    @property
    def of_each(self) -> np.ndarray:
        """The rows of each period, shape (periods, size)."""
        return self.rows.reshape(-1, self.size)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The scores that are estimated."""
        return METRICS[self.judged.task]

    def realised(self, rows: np.ndarray) -> dict[str, float]:
        """Return the scores of some rows by their outcomes, computed by scikit-learn."""
        part = self.judged.take(rows)
        return compute_scores(part.task, part.y, part.scores)


def draw_periods(held_out: HeldOut, *, is_shifted: bool, rng: np.random.Generator) -> Periods:
    """Divide the persons of the held-out rows, and draw periods from one half.

    With a shift, rows whose value is above the median are drawn four times as often: of the number that goes
    most with the prediction (Spearman's correlation).
    """
    judged, features = held_out.judged, held_out.aligned.reset_index(drop=True)
    persons = rng.permutation(np.unique(judged.members))
    is_reference = np.isin(judged.members, persons[: len(persons) // 2])
    later = np.flatnonzero(~is_reference)
    weights = np.ones(len(later))
    if is_shifted:
        weights += 3.0 * is_above_median(judged, features)[later]
    size = min(ROWS_OF_PERIOD, len(later) // 2)
    rows = [rng.choice(later, size, replace=False, p=weights / weights.sum()) for _ in range(N_PERIODS)]
    return Periods(judged, features, np.flatnonzero(is_reference), np.concatenate(rows), size)


def is_above_median(judged: JudgedRows, features: pd.DataFrame) -> np.ndarray:
    """Whether the value of the feature that goes most with the prediction is above its median, by row."""
    probabilities = judged.scores.probabilities
    predicted = pd.Series(judged.scores.predicted if probabilities is None else probabilities[:, -1]).rank()
    ranks = features.select_dtypes("number").rank()
    strongest = ranks.corrwith(predicted).abs().idxmax()
    above: np.ndarray = (ranks[strongest] > ranks[strongest].median()).to_numpy()
    return above


def ours(periods: Periods, to: Path) -> tuple[Estimates, float]:
    """Estimate each period from a ledger in which it is a day; return the CPU seconds as well.

    The file of the ledger and the evaluation of the version are there before: they are not counted.
    """
    judged = periods.judged
    reference = judged.take(periods.reference)
    metrics = evaluate(reference, reference.scores, threshold=None, rng=np.random.default_rng(0))
    measure = Measure.of(judged.task, metrics, 1)
    path = write_ledger(periods, to)
    start = time.process_time()
    terms = JoinTerms(judged.task, (ID,), measure.labels)
    with closing(connect([to], scratch=to, threads=1)) as connection:
        counts = join_labels(connection, [path], [], since=START, terms=terms)
        expected = JoinedPredictions(connection, terms, counts, VERSION).expected_days()
    scores = [measure.expected_scores(expected[day]) for day in sorted(expected)]
    seconds = time.process_time() - start
    return {metric: [period[metric] for period in scores] for metric in periods.metrics}, seconds


def write_ledger(periods: Periods, to: Path) -> Path:
    """Write the predictions as a file of the ledger, a batch and a day for each period."""
    path = to / "model_group=group" / f"batch_date={START}" / "predictions.parquet"
    path.parent.mkdir(parents=True)
    scores, labels = periods.judged.scores.take(periods.rows), periods.judged.problem.labels
    number = np.arange(len(periods.rows))
    days = pd.date_range(START, periods=len(periods.of_each))
    frame = pd.DataFrame({"row": number, "batch_id": number // periods.size})
    frame["scored_at"] = np.repeat(days.to_numpy(), periods.size)
    if scores.probabilities is None:
        frame["prediction"] = scores.predicted
        frame["interval_low"], frame["interval_high"] = scores.interval_low, scores.interval_high
        probabilities = "MAP {}"
    else:
        frame["prediction"] = np.array(labels)[scores.predicted]
        frame[[f"p{place}" for place in range(len(labels))]] = scores.probabilities
        listed = (f"'{label}': p{place}" for place, label in enumerate(labels))
        probabilities = f"MAP {{{', '.join(listed)}}}"
    with closing(duckdb.connect()) as connection:
        connection.register("scored", frame)
        connection.execute(
            f"COPY (SELECT *, {probabilities} AS probabilities, MAP {{'{ID}': CAST(row AS VARCHAR)}} AS ids, "
            f"'scored' AS row_status, '{VERSION}' AS model_version FROM scored) TO '{path}'"
        )
    return path


def theirs(periods: Periods, python: str, to: Path) -> tuple[Estimates, dict[str, float]]:
    """Estimate each period with NannyML; return the CPU seconds of its fit and of its estimate as well.

    An interval is that of 1.96 of its sampling errors.
    """
    to.mkdir(parents=True)
    judged, scores = periods.judged, periods.judged.scores
    labels = judged.problem.labels
    table = periods.features.copy() if judged.task == "regression" else pd.DataFrame()
    table["(outcome)"], table["(predicted)"] = judged.y, scores.predicted
    if scores.probabilities is not None:
        table[[f"(probability {place})" for place in range(len(labels))]] = scores.probabilities
    for name, rows in (("reference", periods.reference), ("analysis", periods.rows)):
        table.iloc[rows].to_csv(to / f"{name}.csv", index=False)
    facts = {
        "task": judged.task,
        "metrics": periods.metrics,
        "rows_of_period": periods.size,
        "n_labels": len(labels),
        "features": list(periods.features),
        "texts": list(periods.features.select_dtypes(exclude="number")),
    }
    (to / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    environment = {**os.environ, **ONE_THREAD, "NML_DISABLE_USAGE_LOGGING": "1"}
    done = subprocess.run(
        [python, str(SCRIPT), str(to)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr else "no message")
    answer = json.loads((to / "estimates.json").read_text(encoding="utf-8"))
    estimates = {
        metric: [QualityScore(value, (value - 1.96 * error, value + 1.96 * error)) for value, error in values]
        for metric, values in answer["estimates"].items()
    }
    return estimates, answer["seconds"]
