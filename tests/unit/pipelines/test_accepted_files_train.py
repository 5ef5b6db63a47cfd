"""A law: a file that validation accepts, or warns about, can be trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops.dataset.validation.validate import validate
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.features.training_rows import prepare_rows
from mlops.pipelines.training_pipeline import TrainingPipeline

type Cells = Callable[[np.random.Generator, int], Any]

WORDS = np.array(["lorem", "ipsum", "dolor", "sit", "amet", "word", "more"])
FEATURES: dict[str, Cells] = {
    "constant": lambda rng, n: np.full(n, 7),
    "row number": lambda rng, n: np.arange(n),
    "shuffled number": lambda rng, n: rng.permutation(n) + 1000,
    "id": lambda rng, n: [f"K{i:06d}" for i in rng.permutation(n)],
    "nothing": lambda rng, n: [""] * n,
    "dates": lambda rng, n: [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(n)],
    "one date": lambda rng, n: ["2024-01-01"] * n,
    "day first": lambda rng, n: [f"{i % 28 + 1:02d}/{i % 12 + 1:02d}/2024" for i in range(n)],
    "category": lambda rng, n: rng.choice(["a", "b", "c"], n),
    "truth": lambda rng, n: rng.choice(["True", "False"], n),
    "codes": lambda rng, n: [f"{i:05d}" for i in rng.integers(0, 50, n)],
    "number": lambda rng, n: rng.normal(size=n).round(3),
    "huge": lambda rng, n: rng.normal(size=n) * 1e300,
    "too large": lambda rng, n: np.full(n, 1e39),
    "prose": lambda rng, n: [" ".join(rng.choice(WORDS, 9)) + str(i) for i in range(n)],
    "one other": lambda rng, n: ["x"] * (n - 1) + ["y"],
    "few numbers": lambda rng, n: rng.integers(0, 3, n),
    "nearly empty": lambda rng, n: np.where(rng.random(n) < 0.97, "", "z"),
    "filled or not": lambda rng, n: np.where(rng.random(n) < 0.5, "", "1.5"),
    "money": lambda rng, n: [f"${number:,.2f}" for number in rng.gamma(2, 900, n)],
}
TARGETS: dict[str, Cells] = {
    "two classes": lambda rng, n: np.resize(["yes", "no"], n),
    "a rare class": lambda rng, n: rng.choice(["a", "b", "c"], n, p=[0.7, 0.27, 0.03]),
    "many rare classes": lambda rng, n: [f"c{min(int(i), 6)}" for i in rng.geometric(0.3, n)],
    "a typo": lambda rng, n: rng.choice(["yes", "no", "yess"], n, p=[0.6, 0.38, 0.02]),
    "many classes": lambda rng, n: [f"c{i}" for i in rng.integers(0, 130, n)],
    "one class": lambda rng, n: ["one"] * n,
    "one number": lambda rng, n: np.full(n, 3.5),
    "half missing": lambda rng, n: np.where(rng.random(n) < 0.45, "", rng.choice(["p", "q"], n)),
    "a quantity": lambda rng, n: rng.normal(size=n).round(2),
    "counts": lambda rng, n: rng.poisson(1.2, n),
    "whole numbers": lambda rng, n: rng.integers(0, 150, n),
    "too large": lambda rng, n: rng.normal(size=n) * 1e39,
    "ids": lambda rng, n: [f"t{i}" for i in range(n)],
    "dates": lambda rng, n: [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(n)],
}


def a_table(rng: np.random.Generator) -> pd.DataFrame:
    n_rows = int(rng.choice([20, 50, 55, 80, 200, 400]))
    names = rng.permutation(["alpha", "visit", "patient_id", "b", "day", "grp"])[: rng.integers(1, 5)]
    columns = {str(name): FEATURES[str(rng.choice(list(FEATURES)))](rng, n_rows) for name in names}
    return pd.DataFrame({**columns, "y": TARGETS[str(rng.choice(list(TARGETS)))](rng, n_rows)})


def some_settings(rng: np.random.Generator, names: list[str]) -> GroupSettings:
    config: dict[str, Any] = {"target": "y"}
    choices: dict[str, tuple[float, Any]] = {
        "date_parts": (0.15, [str(rng.choice(["year", "month", "weekday"]))]),
        "time_column": (0.15, str(rng.choice(names))),
        "group_columns": (0.15, [str(rng.choice(names))]),
        "id_columns": (0.1, [str(rng.choice(names))]),
        "classes": (
            0.3,
            {"rare": str(rng.choice(["drop", "other"])), "min_rows": int(rng.integers(2, 30))},
        ),
        "task": (0.15, str(rng.choice(["binary", "multiclass", "regression"]))),
        "positive_label": (0.05, "yes"),
    }
    config |= {key: value for key, (share, value) in choices.items() if rng.random() < share}
    return GroupSettings.from_config(config)


def accepted(seed: int, path: Path) -> tuple[GroupSettings, Any] | None:
    """Write the table of a seed; return its settings and contract, None when validation refuses it."""
    rng = np.random.default_rng(seed)
    table = a_table(rng)
    table.to_csv(path, index=False)
    settings = some_settings(rng, [str(name) for name in table.columns[:-1]])
    report = validate(path, settings)
    return None if report.verdict == "reject" else (settings, report.contract)


@pytest.mark.property
@pytest.mark.parametrize("first", [0, 20, 40, 60])
def test_what_validation_accepts_can_be_prepared(first: int, tmp_path: Path) -> None:
    n_accepted = 0
    for seed in range(first, first + 20):
        if (given := accepted(seed, tmp_path / "train.csv")) is not None:
            n_accepted += 1
            rows = prepare_rows(tmp_path / "train.csv", *given)
            assert rows.selection.features, seed
            assert rows.split.test.any(), seed
    assert n_accepted > 0


@pytest.mark.property
@pytest.mark.filterwarnings("ignore")
def test_what_validation_accepts_can_be_trained(tmp_path: Path) -> None:
    seeds = (seed for seed in range(100, 200) if accepted(seed, tmp_path / "train.csv"))
    for seed in [next(seeds) for _ in range(5)]:
        settings, contract = accepted(seed, tmp_path / "train.csv") or (GroupSettings(), None)
        result = TrainingPipeline(settings).execute(
            tmp_path / "train.csv", tmp_path / "model", contract=contract
        )
        assert result.metrics.primary, seed
