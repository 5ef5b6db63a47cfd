# ruff: noqa: PLC0415  each candidate runs in an environment that has only its own packages
"""What benchmarks/drift.py times: one candidate per process, so that none pays for another's imports.

    python drift_candidates.py CANDIDATE DATA.npz   prints {"cpu_seconds", "peak_mb", "drifted"}

Reading the data is not timed; imports are not either. `drifted` are the columns the candidate calls drifted.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Work = Callable[[], list[str]]
LEVELS = 8


def load(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    with np.load(path) as arrays:
        sides = [{k.split("/")[1]: arrays[k] for k in arrays if k.startswith(side)} for side in ("r/", "c/")]
    return as_frame(sides[0]), as_frame(sides[1])


def as_frame(columns: dict[str, np.ndarray]) -> pd.DataFrame:
    names = [f"level {index}" for index in range(LEVELS)]
    return pd.DataFrame(
        {
            name: pd.Categorical.from_codes(values, names) if name.startswith("category") else values
            for name, values in columns.items()
        }
    )


def ours_with_stored_baseline(reference: pd.DataFrame, current: pd.DataFrame) -> Work:
    from mlops.monitoring import DriftDetector, build_baseline

    detector = DriftDetector(build_baseline(reference))
    return lambda: list(detector.detect_drift(current).features_with_drift)


def ours_from_both_frames(reference: pd.DataFrame, current: pd.DataFrame) -> Work:
    from mlops.monitoring import DriftDetector, build_baseline

    return lambda: list(DriftDetector(build_baseline(reference)).detect_drift(current).features_with_drift)


def pandas_loop(reference: pd.DataFrame, current: pd.DataFrame) -> Work:
    """What one writes by hand: deciles with `cut`, `value_counts`, PSI above 0.1."""

    def psi(name: str) -> float:
        a, b = reference[name], current[name]
        if not name.startswith("category"):
            edges = [-np.inf, *np.unique(a.quantile(np.arange(1, 10) / 10)), np.inf]
            a, b = pd.cut(a, edges), pd.cut(b, edges)
        p, q = (side.value_counts(normalize=True, dropna=False, sort=False) for side in (a, b))
        p, q = p.align(q, fill_value=0.0)
        p, q = p.clip(lower=1e-4), q.clip(lower=1e-4)
        return float(((q - p) * np.log(q / p)).sum())

    return lambda: [name for name in reference if psi(name) >= 0.1]


def evidently_preset(reference: pd.DataFrame, current: pd.DataFrame) -> Work:
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    categories = [name for name in reference if name.startswith("category")]
    definition = DataDefinition(
        numerical_columns=[name for name in reference if name not in categories],
        categorical_columns=categories,
    )

    def work() -> list[str]:
        sides = [Dataset.from_pandas(side, data_definition=definition) for side in (reference, current)]
        result = Report([DataDriftPreset()]).run(sides[1], sides[0]).dict()
        return [metric["config"]["column"] for metric in result["metrics"] if is_drift(metric)]

    def is_drift(metric: dict[str, Any]) -> bool:
        config = metric["config"]
        if "column" not in config:
            return False
        is_p_value = "p_value" in config.get("method", "")
        threshold = config.get("threshold", 0.1)
        return metric["value"] < threshold if is_p_value else metric["value"] >= threshold

    return work


CANDIDATES: dict[str, Callable[[pd.DataFrame, pd.DataFrame], Work]] = {
    "ours, stored baseline": ours_with_stored_baseline,
    "ours, both frames": ours_from_both_frames,
    "pandas loop": pandas_loop,
    "Evidently preset": evidently_preset,
}


def main(name: str, data: str) -> None:
    work = CANDIDATES[name](*load(Path(data)))
    before = peak_mb()
    started = time.process_time()
    drifted = work()
    seconds = time.process_time() - started
    print(json.dumps({"cpu_seconds": seconds, "extra_mb": peak_mb() - before, "drifted": sorted(drifted)}))


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
