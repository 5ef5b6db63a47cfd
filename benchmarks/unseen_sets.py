"""Tables that no default was chosen on: scikit-learn's bundled ones, and made-up ones of one difficulty each.

Used by `benchmarks.training_quality`. Each set is a function of a random generator; bundled ones take no
notice of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets


@dataclass(frozen=True, slots=True)
class UnseenSet:
    """A name, how its rows are made, and the settings that a team would give beside the target."""

    name: str
    make: Callable[[np.random.Generator], pd.DataFrame]
    settings: dict[str, Any] = field(default_factory=dict)


def _bundled(load: Callable[..., Any], target: str | None = None) -> Callable[..., pd.DataFrame]:
    def make(_: np.random.Generator) -> pd.DataFrame:
        loaded = load(as_frame=True)
        outcome = loaded.target[target] if target else loaded.target
        return loaded.data.assign(outcome=outcome)

    return make


def _yes_no(rng: np.random.Generator, logit: np.ndarray) -> np.ndarray:
    return np.where(rng.random(len(logit)) < 1.0 / (1.0 + np.exp(-logit)), "yes", "no")


def _numbers(rng: np.random.Generator, rows: int, columns: int) -> pd.DataFrame:
    return pd.DataFrame(rng.normal(size=(rows, columns)).round(4)).add_prefix("x")


def _interaction(rng: np.random.Generator) -> pd.DataFrame:
    frame = _numbers(rng, 2_000, 8)
    return frame.assign(outcome=_yes_no(rng, 3.0 * np.sign(frame["x0"] * frame["x1"]) + 0.5 * frame["x2"]))


def _levels(
    rng: np.random.Generator, rows: int, n_levels: int, spread: float = 2.5
) -> tuple[pd.DataFrame, Any]:
    """Return rows of one column of many levels beside three of numbers, and what the level adds."""
    level = rng.integers(n_levels, size=rows)
    frame = _numbers(rng, rows, 3).assign(clinic=[f"clinic {number:04d}" for number in level])
    return frame, rng.normal(0.0, spread, n_levels)[level] + 0.7 * frame["x0"].to_numpy()


def _levels_binary(rng: np.random.Generator) -> pd.DataFrame:
    frame, signal = _levels(rng, 800, 300)
    return frame.assign(outcome=_yes_no(rng, signal))


def _levels_of_many_rows(rng: np.random.Generator) -> pd.DataFrame:
    frame, signal = _levels(rng, 4_000, 150, 1.0)
    return frame.assign(outcome=_yes_no(rng, signal))


def _levels_skewed(rng: np.random.Generator) -> pd.DataFrame:
    """Return levels of which few have most rows, in two columns, one of them without a meaning."""
    shares = 1.0 / np.arange(1, 501) ** 1.1
    drug, town = (rng.choice(500, 3_000, p=shares / shares.sum()) for _ in range(2))
    frame = _numbers(rng, 3_000, 3).assign(drug=[f"d{n}" for n in drug], town=[f"t{n}" for n in town])
    return frame.assign(outcome=_yes_no(rng, rng.normal(0, 1.2, 500)[drug] + 0.7 * frame["x0"]))


def _levels_without_meaning(rng: np.random.Generator) -> pd.DataFrame:
    frame, _ = _levels(rng, 1_500, 400)
    return frame.assign(outcome=_yes_no(rng, 0.9 * frame["x0"] - 0.6 * frame["x1"]))


def _levels_regression(rng: np.random.Generator) -> pd.DataFrame:
    frame, signal = _levels(rng, 1_500, 400)
    return frame.assign(outcome=(signal + rng.normal(0.0, 1.0, len(frame))).round(4))


def _levels_multiclass(rng: np.random.Generator) -> pd.DataFrame:
    level = rng.integers(200, size=2_000)
    frame = _numbers(rng, 2_000, 3).assign(code=[f"c{number}" for number in level])
    signal = rng.normal(0.0, 2.0, (200, 4))[level] + frame["x0"].to_numpy()[:, None] * [1.0, 0.5, 0.0, -1.0]
    return frame.assign(
        outcome=[f"kind {kind}" for kind in (signal + rng.gumbel(size=signal.shape)).argmax(1)]
    )


def _levels_interacting(rng: np.random.Generator) -> pd.DataFrame:
    """Return a level that turns the sign of a number's effect."""
    level = rng.integers(80, size=3_000)
    frame = _numbers(rng, 3_000, 3).assign(ward=[f"w{number}" for number in level])
    sign = rng.choice([-1.0, 1.0], 80)[level]
    return frame.assign(outcome=_yes_no(rng, 2.0 * sign * frame["x0"] + sign))


def _drifting(rng: np.random.Generator) -> pd.DataFrame:
    days = np.arange(2_400) // 4
    frame = _numbers(rng, 2_400, 6)
    frame["x1"] += days / 400.0
    signal = (1.0 - days / 900.0) * frame["x0"] + 0.8 * frame["x1"] * (frame["x2"] > 0)
    day = (pd.Timestamp("2022-01-01") + pd.to_timedelta(days, unit="D")).strftime("%Y-%m-%d")
    return frame.assign(day=day, outcome=_yes_no(rng, signal.to_numpy() - 0.5))


def _rare(rng: np.random.Generator) -> pd.DataFrame:
    frame = _numbers(rng, 8_000, 8)
    return frame.assign(outcome=_yes_no(rng, 1.2 * frame["x0"] + frame["x1"] ** 2 - 6.6))


def _skewed(rng: np.random.Generator) -> pd.DataFrame:
    """Return costs: none for half of the rows, and a long tail."""
    frame = _numbers(rng, 2_500, 6)
    has_cost = rng.random(2_500) < 1.0 / (1.0 + np.exp(-1.5 * frame["x0"]))
    cost = np.exp(4.0 + 0.5 * frame["x1"] + 0.4 * frame["x0"] + rng.normal(0.0, 0.6, 2_500))
    return frame.assign(outcome=np.where(has_cost, cost, 0.0).round(2))


def _ordered_texts(rng: np.random.Generator) -> pd.DataFrame:
    words = np.array(["very low", "low", "normal", "raised", "high", "very high"])
    places = rng.integers(6, size=(1_500, 5))
    frame = pd.DataFrame(words[places]).add_prefix("grade")
    signal = 0.6 * places[:, 0] - 0.4 * places[:, 1] + 0.3 * places[:, 2] - 1.2
    return frame.assign(outcome=_yes_no(rng, signal))


def _mostly_missing(rng: np.random.Generator) -> pd.DataFrame:
    frame = _numbers(rng, 2_500, 8)
    signal = 1.5 * frame["x0"] + frame["x1"] - frame["x2"]
    is_missing = rng.random(frame.shape) < 0.6
    is_missing[:, 3] |= signal > 0.5  # a missing value is a signal
    return frame.mask(is_missing).assign(outcome=_yes_no(rng, signal.to_numpy()))


def _wide(rng: np.random.Generator) -> pd.DataFrame:
    frame = _numbers(rng, 500, 1_500)
    return frame.assign(outcome=_yes_no(rng, 1.5 * frame.iloc[:, :5].sum(axis=1).to_numpy()))


def _few_rows_each(rng: np.random.Generator, classes: int, singletons: int, rows: int) -> pd.DataFrame:
    kinds = np.concatenate([np.arange(singletons), np.repeat(np.arange(singletons, classes), rows)])
    frame = _numbers(rng, len(kinds), 4)
    frame["x0"] += kinds
    return frame.assign(outcome=[f"kind {kind}" for kind in kinds])


def _noise(rng: np.random.Generator) -> pd.DataFrame:
    return _numbers(rng, 1_500, 10).assign(outcome=_yes_no(rng, np.zeros(1_500)))


def _persons(rng: np.random.Generator) -> pd.DataFrame:
    """Return ten rows for each person, whose traits name the person; half of the outcome is theirs."""
    person = np.repeat(np.arange(200), 10)
    traits = _numbers(rng, 200, 4).iloc[person].reset_index(drop=True).add_prefix("trait_")
    town = rng.integers(70, size=200)[person]
    signal = traits["trait_x0"] + rng.normal(0.0, 1.5, 200)[person] + 0.5 * rng.normal(size=2_000)
    frame = traits.assign(person=[f"p{number}" for number in person], town=[f"t{number}" for number in town])
    return frame.assign(http_request=rng.normal(size=2_000).round(3), outcome=_yes_no(rng, signal.to_numpy()))


def _codes(rng: np.random.Generator) -> pd.DataFrame:
    """Return categories written as whole numbers, whose order means nothing."""
    small, large = rng.integers(12, size=3_000), rng.integers(60, size=3_000)
    signal = rng.normal(0.0, 1.0, 12)[small] + rng.normal(0.0, 1.0, 60)[large]
    return pd.DataFrame({"ward": small, "region": large, "x": rng.normal(size=3_000)}).assign(
        outcome=_yes_no(rng, signal)
    )


def _seasons(rng: np.random.Generator) -> pd.DataFrame:
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(1_400, size=2_500), unit="D")
    frame = _numbers(rng, 2_500, 3).assign(seen=days.strftime("%Y-%m-%d"))
    season = 2.0 * np.cos(2.0 * np.pi * (days.month - 1) / 12.0) + 1.5 * (days.dayofweek >= 5)
    return frame.assign(outcome=_yes_no(rng, np.asarray(season) + 0.5 * frame["x0"].to_numpy() - 0.5))


_DATE_PARTS = {"date_parts": {"*": ["month", "weekday"]}}

SETS = (
    UnseenSet("wine", _bundled(datasets.load_wine)),
    UnseenSet("breast_cancer", _bundled(datasets.load_breast_cancer)),
    UnseenSet("digits", _bundled(datasets.load_digits)),
    UnseenSet("iris", _bundled(datasets.load_iris)),
    UnseenSet("diabetes", _bundled(datasets.load_diabetes)),
    UnseenSet("linnerud (20 rows)", _bundled(datasets.load_linnerud, "Waist")),
    UnseenSet("interaction", _interaction),
    UnseenSet("300 levels, 800 rows", _levels_binary),
    UnseenSet("150 levels, 4,000 rows", _levels_of_many_rows),
    UnseenSet("2 x 500 skewed levels", _levels_skewed),
    UnseenSet("400 levels without meaning", _levels_without_meaning),
    UnseenSet("400 levels, regression", _levels_regression),
    UnseenSet("200 levels, 4 classes", _levels_multiclass),
    UnseenSet("80 levels that turn an effect", _levels_interacting),
    UnseenSet("drift, time column", _drifting, {"time_column": "day"}),
    UnseenSet("1 % positive", _rare),
    UnseenSet("half zeros, long tail", _skewed),
    UnseenSet("ordered texts", _ordered_texts),
    UnseenSet("60 % missing", _mostly_missing),
    UnseenSet("1,500 columns", _wide),
    UnseenSet("48 classes, 20 of one row", lambda rng: _few_rows_each(rng, 48, 20, 40)),
    UnseenSet("48 classes", lambda rng: _few_rows_each(rng, 48, 0, 40)),
    UnseenSet("three rows per class", lambda rng: _few_rows_each(rng, 20, 0, 3)),
    UnseenSet("noise", _noise),
    UnseenSet("persons, group column", _persons, {"group_columns": ["person"]}),
    UnseenSet("categories as numbers", _codes),
    UnseenSet("dates that matter", _seasons, _DATE_PARTS),
)
