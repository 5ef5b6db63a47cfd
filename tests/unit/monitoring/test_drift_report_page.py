"""The page and the email: what changed first, in words, and nothing that could run."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from mlops.models.drift.report import DriftReport
from mlops.monitoring import DriftDetector, build_baseline, render, render_text

VOID = {"meta", "rect", "line", "path", "br"}


class Outline(HTMLParser):
    """Collects tags and checks that they close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def a_report() -> DriftReport:
    rng = np.random.default_rng(0)
    reference = pd.DataFrame(
        {
            "age": rng.normal(41, 10, 900),
            "region": rng.choice(["EU-1", "EU-2"], 900),
            "calm": rng.normal(size=900),
        }
    )
    current = pd.DataFrame(
        {
            "age": rng.normal(55, 10, 300),
            "region": rng.choice(["EU-1", "<script>alert(1)</script>"], 300),
            "calm": rng.normal(size=300),
            '"onload="x': 1,
        }
    )
    return DriftDetector(build_baseline(reference, model_version="v1.2.0")).detect_drift(
        current,
        created_at=datetime(2026, 5, 4, 2, 0, tzinfo=UTC),
        model_group="adherence",
        n_batches=3,
        window_days=7,
    )


def test_the_page_is_well_formed_and_needs_nothing_else():
    page = render(a_report())
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert outline.seen.count("svg") == 2
    assert not {"script", "link", "img", "iframe"} & set(outline.seen)
    assert not re.search(r"https?://|url\(|@import", page)


def test_nothing_from_the_data_becomes_markup():
    page = render(a_report())
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; is new" in page
    assert '"onload=' not in page


def test_the_page_says_first_what_changed():
    page = render(a_report(), title="Nightly drift check")
    positions = [
        page.index(text)
        for text in ("Inputs changed a lot.", "What changed", "Then and now", "other feature")
    ]
    assert positions == sorted(positions)
    assert "<h1>Nightly drift check: adherence</h1>" in page
    assert "300 rows, 3 files, last 7 days, against 900 training rows of v1.2.0, 2026-05-04 02:00 UTC" in page


def test_the_mail_is_short_plain_and_does_not_blame_the_model():
    text = render_text(a_report())
    assert text.startswith("Inputs changed a lot.\n300 rows, 3 files, last 7 days")
    assert re.search(r"^- age: median 4\d\.?\d* -> 5\d\.?\d*$", text, re.MULTILINE)
    assert "inputs changed, not that the model is bad" in text
    assert text.isascii()


def test_a_long_list_of_changes_ends_with_how_many_more():
    columns = [f"x{i:02d}" for i in range(30)]
    rng = np.random.default_rng(0)
    detector = DriftDetector(build_baseline(pd.DataFrame(rng.normal(size=(300, 30)), columns=columns)))
    text = render_text(detector.detect_drift(pd.DataFrame(rng.normal(3, 1, (200, 30)), columns=columns)))
    assert "- and 20 more, see the report" in text


def test_a_report_without_changes_says_so_and_warns_of_nothing():
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=200)})
    report = DriftDetector(build_baseline(frame)).detect_drift(frame)
    assert "The inputs look as they did at training." in render(report)
    assert "model is bad" not in render_text(report)


@pytest.mark.parametrize("rows", [0, 5])
def test_too_few_rows_make_a_page_too(rows: int):
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=200), "c": ["a", "b"] * 100})
    report = DriftDetector(build_baseline(frame)).detect_drift(frame[:rows])
    assert "Too few rows for a verdict." in render(report)
