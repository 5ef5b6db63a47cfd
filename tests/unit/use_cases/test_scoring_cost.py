"""The cost of scoring a file: memory or instance, by time, by list prices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlops.models.scoring.batch import BatchSummary
from mlops.models.scoring.result import DataQuality
from mlops.pages.rendering import render
from mlops.pipelines.jobs.prices import LIST_PRICES
from mlops.use_cases.batch_notification import compose_email
from mlops.use_cases.scoring_cost import CostMeter, total
from tests.unit.pages import samples


def clock(*seconds: float) -> Iterator[float]:
    return iter(seconds)


@pytest.mark.parametrize("memory_mb", [3008, "3008"])  # Lambda gives the number as text
def test_a_function_costs_its_memory_by_its_time(memory_mb: int | str) -> None:
    times = clock(100.0, 110.0)
    meter = CostMeter.of_function(memory_mb, clock=lambda: next(times))
    assert meter.read() == pytest.approx(10 * 3008 / 1024 * 0.0000166667, abs=1e-9)


def test_a_job_costs_its_instance_by_its_time() -> None:
    assert CostMeter.of_job("ml.m5.large").usd_per_second == pytest.approx(0.115 / 3600)
    assert CostMeter.of_job("ml.m5.large", 3.6).usd_per_second == pytest.approx(0.001)


def test_without_a_price_the_cost_is_not_known() -> None:
    assert CostMeter.of_job("ml.new.large").read() is None
    assert CostMeter().read() is None
    assert total([0.1, None]) is None
    assert total([0.1, 0.2]) == 0.3


def a_summary(cost_usd: float | None) -> BatchSummary:
    statuses = {"scored": 3}
    return BatchSummary(
        "g", "b", 3, "s3://a/p.csv", file_name="f.csv", row_statuses=statuses, cost_usd=cost_usd
    )


@pytest.mark.parametrize(
    ("cost_usd", "text"),
    [(0.00021, "$0.0002"), (0.000004, "under $0.0001"), (0.123, "$0.12"), (0.0, "$0.0000"), (None, None)],
)
def test_the_email_and_the_page_say_the_cost_where_it_is_known(
    cost_usd: float | None, text: str | None
) -> None:
    summary, quality = a_summary(cost_usd), DataQuality(3, row_statuses={"scored": 3})
    page = render(
        "result",
        summary=summary,
        prices=LIST_PRICES,
        scored_at=samples.NOW,
        engine="",
        quality=quality,
        drift=None,
        downloads={},
        nonce="n",
    )
    _, body = compose_email(summary, quality, None, "https://example.com")
    for shown in (page, body):
        assert ("Cost of scoring" in shown) == (text is not None)
        assert text is None or f"Cost of scoring, by list prices of January 2025: {text}" in shown
