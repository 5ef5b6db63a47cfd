"""A champion that remembers its training rows, and files in which these rows are hard to recognise.

The labels are noise. So the champion has a ROC-AUC of 0.5 on rows that it was not trained on, and one near
1.0 on those that it was: a score away from 0.5 shows that the comparison used training rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlops.models.settings.group import GroupSettings
from mlops.models.training import ChampionComparison
from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.evaluation.champion import Champion, compare_with_champion
from mlops.pipelines.evaluation.judged_rows import JudgedRows
from mlops.pipelines.features.training_rows import prepare_rows
from mlops.pipelines.training_pipeline import TrainingPipeline

KEY = bytes(range(32))
NOW = datetime(2026, 11, 27, tzinfo=UTC)
NUMBERS = ("dose", "pressure", "weight", "glucose", "pulse")
MEMORISING = {"algorithm": "ExtraTrees", "n_estimators": 15, "min_samples_leaf": 1}
SPLITS: Mapping[str, Mapping[str, Any]] = {
    "content": {},
    "ids": {"id_columns": "patient_id"},
    "time": {"time_column": "visited"},
    "ids and time": {"id_columns": "patient_id", "time_column": "visited"},
}

Change = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


def noise(n_rows: int, seed: int = 0) -> pd.DataFrame:
    """Return patients whose outcome depends on nothing, as texts of a file."""
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 600, n_rows)), unit="D")
    return pd.DataFrame(
        {
            "patient_id": [f"{number:06d}" for number in rng.permutation(n_rows)],
            "visited": days.strftime("%Y-%m-%d"),
            **{name: [f"{value:.5g}" for value in rng.normal(100, 20, n_rows)] for name in NUMBERS},
            "age": rng.integers(18, 90, n_rows).astype(str),
            "region": rng.choice(["north", "south", "east", "west"], n_rows),
            "clinic": rng.choice([f"clinic {letter}" for letter in "abcdefghij"], n_rows),
            "note": rng.choice(["", "sent", "called"], n_rows, p=[0.4, 0.3, 0.3]),
            "outcome": rng.choice(["yes", "no"], n_rows),
        }
    )


def digits(n_digits: int) -> Change:
    """Write all numbers with fewer significant digits."""
    return lambda f, _: f.assign(
        **{name: [f"{float(text):.{n_digits}g}" for text in f[name]] for name in NUMBERS}
    )


def corrected(share: float, *names: str) -> Change:
    """Write other values into a share of the rows."""

    def change(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        frame = frame.copy()
        for name in names:
            rows = rng.random(len(frame)) < share
            frame.loc[rows, name] = [f"{value:.5g}" for value in rng.normal(100, 20, int(rows.sum()))]
        return frame

    return change


def ids(write: Callable[[str], str]) -> Change:
    """Write the ids in another way."""
    return lambda f, _: f.assign(patient_id=[write(text) for text in f.patient_id])


def mapped(name: str, write: Callable[[str], str]) -> Change:
    """Write the values of a column in another way."""
    return lambda f, _: f.assign(**{name: [write(text) for text in f[name]]})


def _rescaled(factor: float) -> Callable[[str], str]:
    return lambda text: f"{float(text) * factor:.5g}"


def _day_first(text: str) -> str:
    return pd.Timestamp(text).strftime("%d.%m.%Y")


CHANGES: Mapping[str, Change] = {
    "unchanged": lambda f, _: f,
    "ends earlier": lambda f, _: f.iloc[: int(0.7 * len(f))],
    "begins later": lambda f, _: f.iloc[int(0.3 * len(f)) :],
    "one value corrected": corrected(0.0002, "dose"),
    "one column corrected in every third row": corrected(0.33, "dose"),
    "one column corrected in every row": corrected(1.0, "glucose"),
    "two columns corrected in every row": corrected(1.0, "glucose", "dose"),
    "three columns corrected in every fifth row": corrected(0.2, "glucose", "dose", "weight"),
    "four digits": digits(4),
    "three digits": digits(3),
    "two digits": digits(2),
    "date of another format": mapped("visited", _day_first),
    "rows in another order": lambda f, rng: f.iloc[rng.permutation(len(f))],
    "columns in another order": lambda f, _: f[[*reversed(f.columns[:-1]), "outcome"]],
    "a column added": lambda f, rng: f.assign(height=rng.normal(170, 9, len(f)).round(1))[
        [*f.columns[:-1], "height", "outcome"]
    ],
    "a feature removed": lambda f, _: f.drop(columns="pulse"),
    "every row twice": lambda f, _: pd.concat([f, f]),
    "ids without zeros": ids(lambda text: str(int(text))),
    "ids as decimals": ids(lambda text: f"{int(text)}.0"),
    "ids with blanks": ids(lambda text: f"  {text} "),
    "ids with a prefix": ids(lambda text: f"P-{text}"),
    "new ids": lambda f, rng: f.assign(patient_id=rng.permutation(f.patient_id)),
    "missing notes written otherwise": mapped("note", lambda text: text or "NULL"),
    "another unit of one column": mapped("weight", _rescaled(2.2046)),
    "another unit of two columns": lambda f, rng: mapped("weight", _rescaled(2.2046))(
        mapped("glucose", _rescaled(0.0555))(f, rng), rng
    ),
    "regions in capitals": mapped("region", str.upper),
    "labels written otherwise": mapped("outcome", {"yes": "1", "no": "0"}.__getitem__),
    "labels corrected": lambda f, rng: f.assign(outcome=np.where(rng.random(len(f)) < 0.1, "yes", f.outcome)),
    "new rows only": lambda f, _: noise(len(f), seed=5).assign(
        patient_id=[f"{number:06d}" for number in range(500_000, 500_000 + len(f))],
        visited=(pd.to_datetime(f.visited) + np.timedelta64(601, "D")).dt.strftime("%Y-%m-%d"),
    ),
    "new rows added": lambda f, rng: pd.concat([f, CHANGES["new rows only"](f, rng)]),
    "digits, unit and order": lambda f, rng: digits(4)(
        mapped("weight", _rescaled(2.2046))(f.iloc[rng.permutation(len(f))], rng), rng
    ),
}


@dataclass(frozen=True)
class Memory:
    """A champion that remembers its rows, its file and its settings."""

    champion: Champion
    frame: pd.DataFrame
    config: Mapping[str, Any]
    folder: Path

    def compare(self, change: str, delimiter: str = ",") -> ChampionComparison:
        """Compare a candidate of a changed file that predicts nothing with the champion."""
        rng = np.random.default_rng(7)
        path = self.folder / "candidate.csv"
        CHANGES[change](self.frame, rng).to_csv(path, index=False, sep=delimiter)
        rows = prepare_rows(
            path, GroupSettings.from_config({**self.config, "algorithm": "LogisticRegression"})
        )
        n_held_out = int(rows.split.test.sum())
        guess = rng.random(n_held_out)
        scores = Scores((guess > 0.5).astype(np.int64), np.stack([1.0 - guess, guess], axis=1))
        test = rows.split.test
        judged = JudgedRows(rows.problem, rows.problem.y[test], scores, rows.split.members[test])
        return compare_with_champion(self.champion, rows, judged, now=NOW, rng=rng)


def remember(split: str, folder: Path, n_rows: int) -> Memory:
    """Train the champion."""
    frame = noise(n_rows)
    frame.to_csv(folder / "train.csv", index=False)
    config = {"target": "outcome", **SPLITS[split]}
    TrainingPipeline({**config, **MEMORISING}, row_key=KEY).execute(
        folder / "train.csv", folder / "champion", now=NOW
    )
    return Memory(Champion(folder / "champion", "v1.0.0", KEY), frame, config, folder)
