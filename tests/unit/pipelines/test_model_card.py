"""The model card: one page that needs nothing from elsewhere and says what the result says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import auc

from mlops.models.evaluation import CalibrationBin, EvaluationDetails
from mlops.models.settings.prediction import ThresholdSettings
from mlops.models.training import TrainingResult
from mlops.pipelines.model_card.card import render_card
from mlops.pipelines.model_card.figures import as_file, error_by_chance, figures
from mlops.pipelines.training_pipeline import TrainingPipeline

from .conftest import SETTINGS, build_table

NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


def details_of(result: TrainingResult) -> EvaluationDetails:
    return EvaluationDetails.from_json((result.model_path / "evaluation_details.json").read_bytes())


def page_of(result: TrainingResult) -> str:
    return (result.model_path / "model_card.html").read_text()


class OpenTags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs) -> None:
        self.attributes += attrs
        if tag not in ("meta", "rect", "line", "circle", "polyline", "path"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("rect", "line", "circle", "polyline", "path"):
            return
        assert self.open.pop() == tag


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_card_is_whole_and_needs_nothing_from_elsewhere(task: str, trained):
    page = page_of(trained("RandomForest", task))
    parser = OpenTags()
    parser.feed(page)
    assert parser.open == []
    assert not [value for name, value in parser.attributes if name in ("src", "href", "onclick")]
    assert "<script" not in page
    assert "url(" not in page
    for part in page.split("<svg")[1:]:
        ElementTree.fromstring("<svg" + part[: part.index("</svg>")] + "</svg>")
    expected = {"regression": "True against predicted"}.get(task, "Confusion matrix")
    for heading in ("Calibration", "Importance", "Worst slices", "Settings", expected):
        assert heading in page


def test_the_curves_enclose_the_scores_that_are_told(trained):
    result = trained("LogisticRegression", "binary")
    points = np.array(details_of(result).roc["yes"])
    assert auc(points[:, 0], points[:, 1]) == pytest.approx(result.metrics.roc_auc, abs=0.01)


def test_calibration_and_slices_count_held_out_rows(trained):
    result = trained("LogisticRegression", "multiclass")
    details = details_of(result)
    assert sum(entry.n_rows for entry in details.calibration) == result.n_rows_test
    scores = [entry.score for entry in details.slices]
    assert scores == sorted(scores)
    assert all(low <= entry.score <= high for entry in details.slices for low, high in [entry.interval])


def test_a_slice_in_which_the_model_knows_nothing_is_the_worst(tmp_path: Path):
    rng = np.random.default_rng(0)
    frame = build_table(1500).drop(columns=["nothing", "site", "visited"])
    lost = frame.region == "south"
    frame.loc[lost, "outcome"] = rng.choice(["yes", "no"], int(lost.sum()))
    frame.to_csv(tmp_path / "train.csv", index=False)
    config = {**SETTINGS, "algorithm": "LogisticRegression"}
    result = TrainingPipeline(config).execute(tmp_path / "train.csv", tmp_path / "model")
    worst = details_of(result).slices[0]
    assert (worst.column, worst.value) == ("region", "south")


def test_names_from_the_data_are_escaped(tmp_path: Path):
    frame = build_table(200).rename(columns={"age": "<script>alert(1)</script>"})
    frame["region"] = frame.region.replace({"north": '"><img src=x onerror=alert(1)>'})
    frame["outcome"] = frame.outcome.replace({"yes": "<b>yes</b>"})
    frame.to_csv(tmp_path / "train.csv", index=False)
    config = {**SETTINGS, "algorithm": "LogisticRegression"}
    result = TrainingPipeline(config).execute(tmp_path / "train.csv", tmp_path / "model", group="<i>g</i>")
    page = page_of(result)
    for hostile in ("<script>", "<img", "<b>yes", "<i>g"):
        assert hostile not in page


def test_a_champion_stands_beside_the_candidate(trained, tmp_path: Path):
    champion = trained("LogisticRegression", "binary").model_path
    build_table().to_csv(tmp_path / "train.csv", index=False)
    result = TrainingPipeline({**SETTINGS, "algorithm": "Ridge"}).execute(
        tmp_path / "train.csv", tmp_path / "model", champion_path=champion, champion_version="v1.0.0"
    )
    assert ">v1.0.0</th>" in page_of(result)
    assert "Drift since the last training" in page_of(result)
    assert {shift.verdict for shift in result.changes.shifts} == {"OK"}


def test_a_column_that_moved_since_the_last_training_leads_the_picture(trained, tmp_path: Path):
    champion = trained("LogisticRegression", "binary").model_path
    build_table().assign(dose=lambda table: table.dose * 3).to_csv(tmp_path / "train.csv", index=False)
    result = TrainingPipeline({**SETTINGS, "algorithm": "LogisticRegression"}).execute(
        tmp_path / "train.csv", tmp_path / "model", champion_path=champion
    )
    moved = result.changes.shifts[0]
    assert (moved.column, moved.verdict) == ("dose", "ALERT")
    assert moved.psi > 0.2


def test_a_regression_shows_its_residuals_and_every_figure_is_a_file(trained):
    result = trained("Ridge", "regression")
    shown = {figure.name: figure for figure in figures(result, details_of(result))}
    assert {"predicted", "residuals", "calibration", "importance", "slices"} == set(shown)
    for figure in shown.values():
        root = ElementTree.fromstring(as_file(figure))
        assert int(root.get("width")) > int(root.get("height")) / 4 > 0


def test_a_card_of_few_facts_is_still_a_card(trained):
    result = trained("Ridge", "regression")
    page = render_card(result, EvaluationDetails(), group=None, created_at=NOW)
    assert "Model card: outcome" in page
    assert "How it errs" not in page


def test_curves_stay_small_however_many_rows_there_are(tmp_path: Path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=4000)})
    frame["outcome"] = (frame.x + rng.normal(size=4000) > 0).astype(int)
    frame.to_csv(tmp_path / "train.csv", index=False)
    config = {"target": "outcome", "algorithm": "LogisticRegression"}
    details = details_of(TrainingPipeline(config).execute(tmp_path / "train.csv", tmp_path / "model"))
    assert len(details.roc["1"]) <= 120


def test_the_trials_of_a_search_stand_on_the_card_the_best_first(tmp_path: Path):
    build_table(200).to_csv(tmp_path / "train.csv", index=False)
    search = {"trials": 3, "space": {"C": [0.001, 10.0]}}
    settings = {**SETTINGS, "algorithm": "LogisticRegression", "search": search}
    result = TrainingPipeline(settings).execute(tmp_path / "train.csv", tmp_path / "model")
    section = page_of(result).split("What the search tried", 1)[1].split("</section>")[0]
    assert section.count("<tr") == 1 + 3
    assert section.index('class="primary"') < section.index('<th scope="row">2')
    assert section.count('<td class="num">–</td>') == 1
    for trial in result.trials:
        assert f"{trial.score:.4f}" in section
    assert f"{result.trials[0].n_rows:,}</td>" in section


def test_a_card_without_a_search_says_nothing_of_trials(trained):
    assert "What the search tried" not in page_of(trained("RandomForest", "binary"))


def test_the_card_says_how_the_threshold_was_chosen_and_what_the_calibration_gains(trained):
    result = trained("LogisticRegression", "binary")
    settings = replace(result.settings, threshold=ThresholdSettings("f1", min_recall=0.8))
    metrics = replace(result.metrics, threshold=0.3217, calibration_gain=0.0123)
    changed = replace(result, settings=settings, metrics=metrics)
    page = render_card(changed, details_of(result), group=None, created_at=NOW)
    assert "0.322, chosen for the best F1 out of fold with a recall of at least 0.8" in page
    assert "lowers the log loss out of fold by 0.0123" in page


def test_true_probabilities_are_off_by_chance_as_much_as_a_simulation_says():
    rng, predicted, n_rows = np.random.default_rng(0), (0.1, 0.5, 0.8), 40
    drawn = [np.abs(rng.binomial(n_rows, share, 20_000) / n_rows - share).mean() for share in predicted]
    bins = [CalibrationBin(share, 0.0, n_rows) for share in predicted]
    assert error_by_chance(bins) == pytest.approx(np.mean(drawn), rel=0.03)


def test_the_card_of_a_regression_says_how_many_rows_are_in_their_intervals(trained):
    page = page_of(trained("Ridge", "regression"))
    assert "Intervals of 90 %" in page
    assert "Rows within their 90 % interval" in page
