"""Runs side by side, as data, as text and as a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from mlops.experiment.comparison.comparison import RunComparison, compare, duration_text, short_names
from mlops.experiment.comparison.page import render_page
from mlops.models.errors import ExperimentError, RunNotFoundError
from mlops.models.experiment import RunFailure

GROUP = "adherence"
HOSTILE = "<script>alert('x')</script>\"&"


@pytest.fixture
def runs(tracker):
    with tracker.start_run(GROUP, params={"algorithm": "XGBoost", "depth": 3, "seed": 0}) as run:
        run.log_metrics({"loss": 0.4, "roc_auc": 0.7, "f1": 0.5})
        for step in range(1, 30):
            run.log_metric("loss", 1 / step, step=step)
    with tracker.start_run(GROUP, name="deep", params={"algorithm": "XGBoost", "depth": 9, "seed": 0}) as run:
        run.log_metrics({"roc_auc": 0.8, "f1": 0.5})
    failed = tracker.start_run(
        GROUP, name=HOSTILE, params={"algorithm": "XGBoost", "seed": 0, "extra": HOSTILE}
    )
    failed.end_run("failed", RunFailure("TrainingError", HOSTILE))
    return tracker


def test_scores_come_first_and_the_best_is_marked_where_it_means_something(runs):
    comparison = runs.compare(GROUP, ["run-1", "run-2", "run-3"])
    rows = {row.name: row for row in comparison.metrics}
    assert list(rows) == ["f1", "roc_auc", "loss"]
    assert (rows["roc_auc"].values, rows["roc_auc"].best) == ((0.7, 0.8, None), (1,))
    assert rows["f1"].best == ()  # equal
    assert rows["loss"].best == ()  # it is unknown whether less is better


def test_params_say_whether_the_runs_differ(runs):
    rows = {row.name: row for row in runs.compare(GROUP).params}
    assert rows["depth"].values == (3, 9, None)
    assert {name: row.differs for name, row in rows.items()} == {
        "algorithm": False,
        "depth": True,
        "seed": False,
        "extra": True,
    }


def test_without_ids_the_last_ten_are_compared_oldest_first(tracker):
    for _ in range(12):
        tracker.start_run(GROUP).end_run()
    assert [run.run_id for run in tracker.compare(GROUP).runs] == [f"run-{number}" for number in range(3, 13)]


def test_a_comparison_is_lossless_as_json(runs):
    comparison = runs.compare(GROUP)
    assert RunComparison.from_json(comparison.to_json()) == comparison


def test_names_are_shown_without_what_all_begin_with():
    names = ["adherence-4f2a0c-0", "adherence-4f2a0c-1", "adherence-4f99"]
    assert short_names(names) == ("adherence-", ["4f2a0c-0", "4f2a0c-1", "4f99"])
    assert short_names(["run-1", "run-2"]) == ("", ["run-1", "run-2"])
    assert short_names(["adherence-1"]) == ("", ["adherence-1"])


def test_what_cannot_be_compared_is_said(runs):
    one = runs.get_run(GROUP, "run-1")
    for wrong in ([], [one, one]):
        with pytest.raises(ExperimentError, match="different runs of one group"):
            compare(wrong)
    with pytest.raises(RunNotFoundError, match="has no run yet"):
        runs.compare("absent")


def test_the_text_shows_what_differs_before_what_is_shared(runs):
    text = runs.compare(GROUP).render()
    assert re.search(r"ROC AUC +0\.7000 +0\.8000 \* +-", text)
    assert (
        text.index("Params that differ")
        < text.index("depth")
        < text.index("Params of all")
        < text.index("seed")
    )
    assert max(map(len, text.splitlines())) < 160


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (4.21, "4.2 s"), (59.96, "60.0 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")],
)
def test_durations_are_written_for_people(seconds, text):
    assert duration_text(seconds) == text


def page_of(runs) -> str:
    comparison = runs.compare(GROUP)
    return render_page(comparison, {run.run_id: runs.history(GROUP, run.run_id) for run in comparison.runs})


def test_the_page_needs_nothing_from_elsewhere_and_is_well_formed(runs):
    page = page_of(runs)
    assert not re.search(r"https?://|src=|@import|url\(", page)
    checker = _Nesting()
    checker.feed(page)
    assert checker.open == []


def test_the_page_shows_text_from_outside_as_text(runs):
    page = page_of(runs)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_page_draws_a_curve_only_of_what_has_steps(runs):
    page = page_of(runs)
    assert page.count("<polyline") == 1
    assert 'aria-label="loss over the steps of each run"' in page
    assert "Over the steps" not in render_page(runs.compare(GROUP))


def test_the_page_names_the_best_run_and_the_failed_one(runs):
    page = page_of(runs)
    assert re.search(r"<dt>Best ROC AUC</dt><dd>0\.8000</dd><dd class=.note.>deep</dd>", page)
    assert "1 failed, 0 rejected by the gate" in page
    assert 'class="badge failed"' in page


def test_the_page_goes_by_the_score_that_the_trainings_call_primary(tracker):
    for f1, roc_auc in ((0.9, 0.1), (0.1, 0.9)):
        with tracker.start_run(GROUP, tags={"primary_metric": "roc_auc"}) as run:
            run.log_metrics({"f1": f1, "roc_auc": roc_auc})
    assert '<dt>Best ROC AUC</dt><dd>0.9000</dd><dd class="note">run-2</dd>' in page_of(tracker)


def test_a_page_of_one_run_and_of_an_empty_run_works(tracker):
    tracker.start_run(GROUP).end_run()
    assert "Params and origin" in render_page(tracker.compare(GROUP))


def test_a_page_of_long_histories_stays_small(tracker):
    with tracker.start_run(GROUP) as run:
        for step in range(20_000):
            run.log_metric("loss", 1 / (step + 1), step=step)
    page = page_of(tracker)
    assert "step 19999" in page
    assert len(page) < 60_000


class _Nesting(HTMLParser):
    """Fails on a tag that closes what is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """A closed tag of SVG changes nothing."""

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()
