"""The how-to about earlier values works as it is written, and no row sees its own amount."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from mlops.cli.main import main

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "use-earlier-values.md"
BLOCKS = dict(re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))


def some_bills() -> pd.DataFrame:
    """Return visits of three patients, paid up to 40 days later: some after the next visit."""
    rng = np.random.default_rng(0)
    visited_at = pd.Timestamp("2026-01-01T09:00:00Z") + pd.to_timedelta(np.arange(0, 300, 10), "D")
    return pd.DataFrame(
        {
            "patient_id": rng.choice(["A", "B", "C"], len(visited_at)),
            "visited_at": visited_at,
            "paid_at": visited_at + pd.to_timedelta(rng.integers(1, 40, len(visited_at)), "D"),
            "amount": rng.integers(1, 500, len(visited_at)).astype(float),
        }
    )


@pytest.fixture
def joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Do what the page says; return the table to train on."""
    monkeypatch.chdir(tmp_path)
    bills = some_bills()
    bills.to_csv("bills.csv", index=False)
    visits = bills.rename(columns={"visited_at": "event_timestamp"})
    visits.assign(target=bills["amount"])[["patient_id", "event_timestamp", "target"]].to_csv(
        "visits.csv", index=False
    )
    Path("lags.toml").write_text(BLOCKS["toml"], encoding="utf-8")
    exec(compile(BLOCKS["python"], str(PAGE), "exec"), {})
    for command in BLOCKS["bash"].splitlines():
        assert main([*shlex.split(command)[1:], "--root", str(tmp_path)]) == 0
    return duckdb.sql("SELECT * FROM 'train.parquet'").df()


def test_each_visit_gets_the_amounts_that_were_known_before_it(joined: pd.DataFrame) -> None:
    bills = some_bills()
    assert len(joined) == len(bills)
    for row in joined.itertuples():
        is_known = (bills["patient_id"] == row.patient_id) & (bills["paid_at"] <= row.event_timestamp)
        known = bills[is_known].sort_values("paid_at", kind="stable")["amount"]
        if known.empty:
            assert np.isnan(row.amount_1)
            assert np.isnan(row.amount_mean_3)
        else:
            assert row.amount_1 == known.iloc[-1]
            assert row.amount_mean_3 == pytest.approx(known.iloc[-3:].mean())
    has_own = (joined["amount_1"] == joined["target"]).mean()
    assert has_own < 0.1
    assert 0.05 < joined["amount_1"].isna().mean() < 0.5
