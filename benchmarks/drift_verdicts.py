"""Verdicts of the drift check where the truth is known.

Question: how often do random halves of one table warn, and how often is a change of one column found?

    python -m benchmarks drift_verdicts -- [FOLDER] [--seeds 40]

Every CSV file of the folder (default: the examples) is shuffled and halved: one half is the training data,
rows of the other half are the batch. A JSON file of the same name may list `id_columns` and `target`, which
are left out. Then one column of the batch changes at a time. Without a folder the table goes to
benchmarks/results/drift_verdicts.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.pages import write_page
from mlops.monitoring import DriftDetector, build_baseline

REPOSITORY = Path(__file__).resolve().parents[1]
ROWS = (300, 1_000, 5_000)
CHANGE_ROWS = 1_000
CHANGE_SEEDS = 5
MIN_DISTINCT = 21
SCALES = (12.0, 1 / 12, 1000.0, 2.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="folder of CSV files (default: the examples)")
    parser.add_argument("--seeds", type=int, default=40, help="random halves of each table")
    arguments = parser.parse_args()
    folder = arguments.folder or REPOSITORY / "examples"
    tables = {path.stem if arguments.folder else path.parent.name: load(path) for path in files(folder)}
    text = "\n".join(report(tables, arguments.seeds))
    print(text)
    if arguments.folder is None:
        write_page("drift_verdicts", text + "\n")


def files(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.glob("*.csv")) or sorted(folder.glob("*/train.csv"))


def load(path: Path) -> pd.DataFrame:
    facts = path.with_suffix(".json")
    document = json.loads(facts.read_text()) if facts.exists() else {}
    left_out = {*document.get("id_columns", []), document.get("target")}
    frame = pd.read_csv(path)
    return frame.drop(columns=[name for name in frame if name in left_out])


def report(tables: dict[str, pd.DataFrame], seeds: int) -> Iterator[str]:
    yield "# Verdicts where the truth is known\n"
    yield f"## Random halves: share of {seeds} runs with WARN or ALERT\n"
    yield "| table | rows | " + " | ".join(f"n = {n:,}" for n in ROWS) + " | ALERT | what warned |"
    yield "|---" * (len(ROWS) + 4) + "|"
    for name, frame in tables.items():
        yield clean_line(name, frame, seeds)
    yield f"\n## One column changed, {CHANGE_ROWS:,} rows: share of columns and runs that were found\n"
    kinds = ["+0.5 sd", "+0.5 sd, 200 values", "+1 sd, 100 values"]
    faults = ["all missing", *(f"x {scale:.3g}" for scale in SCALES)]
    yield "| table | " + " | ".join([*kinds, *(f"{fault}: ALERT" for fault in faults)]) + " |"
    yield "|---" * (len(kinds) + len(faults) + 1) + "|"
    for name, frame in tables.items():
        yield f"| {name} | " + " | ".join(change_cells(frame)) + " |"


def halves(frame: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    shuffled = frame.sample(frac=1.0, random_state=seed).reset_index(drop=True)
    middle = len(shuffled) // 2
    return shuffled[:middle], shuffled[middle:]


def clean_line(name: str, frame: pd.DataFrame, seeds: int) -> str:
    verdicts: dict[int, list[str]] = {n: [] for n in ROWS}
    causes: dict[str, int] = {}
    for seed in range(seeds):
        reference, other = halves(frame, seed)
        detector = DriftDetector(build_baseline(reference))
        for n in ROWS:
            if len(other) >= n:
                report = detector.detect_drift(other[:n])
                verdicts[n].append(report.verdict)
                for anomaly in report.anomalies:
                    if anomaly.verdict in ("WARN", "ALERT"):
                        causes[anomaly.kind] = causes.get(anomaly.kind, 0) + 1
    cells = [percent([verdict != "OK" for verdict in verdicts[n]]) for n in ROWS]
    alerts = percent([verdict == "ALERT" for each in verdicts.values() for verdict in each])
    named = ", ".join(f"{kind} {n}" for kind, n in sorted(causes.items()))
    return f"| {name} | {len(frame):,} | {' | '.join(cells)} | {alerts} | {named or '-'} |"


def change_cells(frame: pd.DataFrame) -> Iterator[str]:
    """Yield the share of found shifts, then the share of faults that alert."""
    numbers = [name for name in frame.select_dtypes("number") if frame[name].nunique() > 1]
    fine = [name for name in numbers if frame[name].nunique() >= MIN_DISTINCT]

    def shift(sds: float) -> Callable[[pd.Series], pd.Series]:
        return lambda column: column + sds * column.std()

    for sds, n_values in ((0.5, CHANGE_ROWS), (0.5, 200), (1.0, 100)):
        yield percent(found(frame, fine, shift(sds), n_values=n_values))
    yield percent(alerted(frame, list(frame), lambda column: column.mask(column.notna())))
    for scale in SCALES:
        yield percent(alerted(frame, numbers, lambda column, scale=scale: column * scale))


def found(
    frame: pd.DataFrame, names: list[str], change: Callable[..., pd.Series], *, n_values: int
) -> Iterator[bool]:
    for seed in range(CHANGE_SEEDS):
        rng = np.random.default_rng(seed)
        reference, other = halves(frame, seed)
        for name in names:
            share_kept = n_values / CHANGE_ROWS / frame[name].notna().mean()
            sparse = [
                with_column(side, side[name].where(rng.random(len(side)) < share_kept))
                for side in (reference, other[:CHANGE_ROWS])
            ]
            drifted = judged(sparse[0], with_column(sparse[1], change(sparse[1][name])))
            if name in drifted.features:
                yield name in drifted.features_with_drift


def alerted(frame: pd.DataFrame, names: list[str], change: Callable[..., pd.Series]) -> Iterator[bool]:
    for seed in range(CHANGE_SEEDS):
        reference, other = halves(frame, seed)
        detector = DriftDetector(build_baseline(reference, importance={names[0]: 1.0}))
        for name in names:
            batch = with_column(other[:CHANGE_ROWS], change(other[name][:CHANGE_ROWS]))
            if name in detector.baseline.features and not batch[name].equals(other[name][:CHANGE_ROWS]):
                yield detector.detect_drift(batch).verdict == "ALERT"


def with_column(frame: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    changed = frame.copy()
    changed[values.name] = values
    return changed


def judged(reference: pd.DataFrame, batch: pd.DataFrame):
    return DriftDetector(build_baseline(reference)).detect_drift(batch)


def percent(outcomes: Iterator[bool] | list[bool]) -> str:
    each = list(outcomes)
    return f"{100 * float(np.mean(each)):.0f} %" if each else "-"


if __name__ == "__main__":
    main()
