"""The patients of the simulated year: what their files contain on each day, and what happens to them.

A pharmacy predicts which patients stop a therapy. The model learns from the year before. Files come on
working days, outcomes are known two weeks later. Two columns have a season: the temperature differs so much
over a year that no week looks like the year, so the team leaves it out of the drift check; exercise a little.
"""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pandas as pd

N_A_DAY = 200
TARGET, ID = "stopped", "patient_id"
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)

# what happens, in the order of the year
MICROGRAMS = (date(2026, 3, 2), date(2026, 3, 6))  # doses are 1,000 times as high
POUNDS = (date(2026, 3, 23), date(2026, 3, 27))  # doses are 2.205 times as high
EMPTY_COLUMN = (date(2026, 4, 13), date(2026, 4, 17))  # no refill gap is filled in
VANISHED_COLUMN = (date(2026, 4, 27), date(2026, 4, 27))  # the file has no refill gaps at all
AGEING = (date(2026, 5, 4), date(2026, 7, 31))  # the mean age rises by one standard deviation
NO_FILES = (date(2026, 7, 6), date(2026, 7, 10))
OTHER_CONCEPT = date(2026, 10, 5)  # the same patients; long refill gaps do not make them stop any more
# on which day a model is trained again, and on the rows of which time
RETRAININGS = {
    date(2026, 9, 14): (date(2026, 8, 1), date(2026, 8, 30)),
    date(2026, 12, 14): (OTHER_CONCEPT, date(2026, 11, 29)),
}


def is_within(day: date, days: tuple[date, date]) -> bool:
    """Tell whether a day is among them; both ends are."""
    return days[0] <= day <= days[1]


def has_file(day: date) -> bool:
    """Tell whether a file comes: on working days, but for one week."""
    return day.weekday() < 5 and not is_within(day, NO_FILES)


def patients(day: date, rng: np.random.Generator, n: int = N_A_DAY) -> pd.DataFrame:
    """Return the rows of a day with their outcomes, as they are; faults of files come after."""
    age = rng.normal(55.0 + 12.0 * _aged(day), 12.0, n)
    gap = rng.gamma(2.0, 4.0, n)
    dose = rng.gamma(4.0, 5.0, n)
    season = -math.cos(2.0 * math.pi * day.timetuple().tm_yday / 365.0)  # -1 in January, 1 in July
    temperature = rng.normal(12.0 + 9.0 * season, 4.0, n)
    exercise = rng.normal(150.0 + 8.0 * season, 40.0, n)
    region = rng.choice(["north", "south", "east", "west"], n, p=[0.4, 0.3, 0.2, 0.1])
    slope = 0.0 if day >= OTHER_CONCEPT else 0.25
    log_odds = -2.6 + slope * gap + 0.03 * (age - 55.0) - 0.02 * (dose - 20.0) + 0.4 * (region == "east")
    stopped = rng.random(n) < 1.0 / (1.0 + np.exp(-log_odds))
    return pd.DataFrame(
        {
            ID: [f"{day:%y%m%d}-{number:04d}" for number in range(n)],
            "age": age.round(1),
            "refill_gap": gap.round(1),
            "dose": dose.round(2),
            "temperature": temperature.round(1),
            "exercise": exercise.round(),
            "region": region,
            TARGET: np.where(stopped, "yes", "no"),
        }
    )


def as_delivered(rows: pd.DataFrame, day: date) -> pd.DataFrame:
    """Return the file of a day: without outcomes, with its faults."""
    file = rows.drop(columns=TARGET)
    if is_within(day, MICROGRAMS):
        file["dose"] = file["dose"] * 1000.0
    if is_within(day, POUNDS):
        file["dose"] = file["dose"] * 2.205
    if is_within(day, EMPTY_COLUMN):
        file["refill_gap"] = np.nan
    return file.drop(columns="refill_gap") if is_within(day, VANISHED_COLUMN) else file


def training_rows(first: date, last: date, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows of all days of a time, as a team collects them."""
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    drawn = [patients(day, rng, -(-n // len(days))) for day in days]
    return pd.concat(drawn, ignore_index=True).sample(n, random_state=0).reset_index(drop=True)


def _aged(day: date) -> float:
    """Return how far the mean age has risen, in standard deviations: 0 before, 1 after."""
    return min(max((day - AGEING[0]).days / (AGEING[1] - AGEING[0]).days, 0.0), 1.0)
