"""Every page, of complete records: whole, without a script, and with nothing from the data as markup."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jinja2
import pytest

import mlops
from mlops.approval.attachments import Plot
from mlops.approval.emails import compose_request
from mlops.approval.evidence import describe_worst_slices, gather
from mlops.approval.pages.approval_view import render_outcome, render_request
from mlops.approval.pages.rollback_view import render_offer, render_offer_outcome
from mlops.dataset.validation.report_page import render_report
from mlops.experiment.comparison.comparison import compare as compare_runs
from mlops.experiment.comparison.page import render_page as render_runs
from mlops.feature_store.offline.state import ViewState
from mlops.infrastructure.aws.cloudwatch import Alarm
from mlops.ledger.batches import RecordedBatch, ScoredBatch
from mlops.models.evaluation import EvaluationDetails
from mlops.models.intake.retraining import Retraining
from mlops.models.intake.trainings import TrainingFailure, TrainingRecord
from mlops.models.metrics import metric_name
from mlops.models.scoring.batch import BatchSummary
from mlops.models.scoring.result import DataQuality
from mlops.models.training import SCORE_NAMES
from mlops.monitoring import render as render_drift
from mlops.monitoring.alert_state import AlertState, Night
from mlops.monitoring.quality.report import render as render_quality
from mlops.monitoring.report.report_text import (
    arrivals_line,
    changes_of_reasons,
    describe_changes,
    facts_line,
    headline,
    verdict_line,
)
from mlops.pages.http import message
from mlops.pages.rendering import TEMPLATES, compile_templates, environment, render
from mlops.pages.style import STYLE, STYLE_HASH, WIDGET_STYLE
from mlops.pipelines.jobs.prices import LIST_PRICES
from mlops.pipelines.model_card.card import render_card
from mlops.pipelines.model_card.figures import as_file, figures
from mlops.pipelines.model_card.record import CardRecord
from mlops.registry.comparison.comparison import compare as compare_versions
from mlops.use_cases.dashboard.activity import Activity
from mlops.use_cases.dashboard.alarm_list import STATES
from mlops.use_cases.dashboard.alarm_list import title as alarm_title
from mlops.use_cases.dashboard.drift_map import draw_map
from mlops.use_cases.dashboard.feature_views import ViewRow
from mlops.use_cases.dashboard.group_table import GroupRow
from mlops.use_cases.dashboard.quality_trends import QualityTrend, draw_trend

from . import samples

# Texts that do not come from people or data: by them a page chooses what it says.
VERDICTS = {
    "OK",
    "WARN",
    "ALERT",
    "DROPPED",
    "INSUFFICIENT_DATA",
    "accept",
    "warn",
    "reject",
    "info",
    "approved",
    "rejected",
}
KINDS = {"numeric", "categorical", "binary", "regression", "extra_column", "period", "segment", "young"}
KEYS = {"message", "severity", "column", "model_version", "gate", "primary_metric"}
ENGINES = {"auto"}
CHOICES = frozenset(VERDICTS | KINDS | KEYS | ENGINES | set(SCORE_NAMES))

Change = Callable[[Any], Any]

NIGHT = samples.NOW.date()
WIDGET = {"widget_style": WIDGET_STYLE, "scheme": "dark", "now": samples.NOW}


def plain(record: Any) -> Any:
    return record


def attack(record: Any) -> Any:
    return samples.hostile(record, keep=CHOICES)


def a_card(change: Change, task: str = "binary") -> str:
    result = samples.a_training_result() if task == "binary" else samples.a_regression_result()
    details = samples.some_details(task)
    record = (
        CardRecord(change(samples.a_model()), change("s3://data/train.csv")) if task == "binary" else None
    )
    return render_card(
        change(result), change(details), group=change("adherence"), created_at=samples.NOW, record=record
    )


def a_request_page(change: Change) -> str:
    plots = [Plot(change("roc_curve"), b"<svg/>")]
    who, nonce, problem = change("ada@example.com"), change("n"), change("Nothing was decided.")
    card = change("token/card")
    filled_in = {"reason": change("worse for older people"), "version": change("v1"), "decision": "rejected"}
    return render_request(
        change(samples.a_request()),
        who,
        nonce=nonce,
        problem=problem,
        filled_in=filled_in,
        plots=plots,
        card=card,
        shadow=[
            change("Predicts 9 of 60 rows otherwise than v1.0.0."),
            change("site = north: 5 of 12 rows."),
        ],
    )


def an_offer_page(change: Change) -> str:
    versions = {"champion": change(samples.a_model()), "previous": change(samples.a_previous_model())}
    who, nonce, problem = change("ada@example.com"), change("n"), change("Nothing was decided.")
    return render_offer(change(samples.an_offer()), who, nonce=nonce, problem=problem, **versions)


def a_runs_page(change: Change) -> str:
    runs = [change(run) for run in samples.some_runs()]
    return render_runs(
        compare_runs(runs), {run.run_id: [change(p) for p in samples.a_history(run)] for run in runs}
    )


def a_retry_page(change: Change, nonce: str = "n") -> str:
    failure = TrainingFailure(
        "adherence", "t", 1, "JobStoppedError", "It was killed.", samples.NOW, "Train model"
    )
    latest = TrainingRecord("adherence", "t", "d", "u", {}, samples.NOW, attempt=1 if nonce else 2)
    return render("retry", failure=change(failure), latest=change(latest), nonce=nonce)


def a_retraining_page(change: Change, nonce: str = "n", problem: str = "") -> str:
    retraining = Retraining(
        "adherence",
        "20260302T033000000000-v1.0.1",
        "v1.0.1",
        ("The quality dropped.",),
        "proposed" if nonce or problem else "requested",
        samples.NOW,
        files_rows=2000,
        ledger_rows=2100,
        n_new_rows=2100,
        left_out=("3 scored rows.",),
        cost="It costs about $0.02.",
        requested_at=samples.NOW,
    )
    return render("retraining", retraining=change(retraining), problem=change(problem), nonce=nonce)


def an_alert_page(change: Change, nonce: str = "n") -> str:
    report = change(samples.a_drift_report())
    alert = {
        "link": {"group": change("adherence")},
        "night": samples.NOW.date(),
        "report": report,
        "approver": change("ada@example.com"),
        "acknowledged": None if nonce else {"by": change("link of ada@example.com")},
        "is_over": not nonce,
    }
    return render(
        "drift_alert",
        alert=alert,
        headline=headline(report),
        verdict_line=verdict_line(report),
        facts_line=facts_line(report),
        arrivals_line=arrivals_line(report),
        changes=describe_changes(report),
        snoozed_until=None if nonce else samples.NOW.date(),
        max_days=365,
        nonce=nonce,
    )


def a_result_page(change: Change, *, has_drift: bool = True) -> str:
    statuses = {"scored": 2, "unreadable:age": 1} if has_drift else {"scored": 3}
    summary = BatchSummary(
        "adherence", "b", 3, "s3://a/p.csv", file_name="march.csv", model_version="v1", row_statuses=statuses
    )
    summary = replace(summary, cost_usd=0.00021 if has_drift else None)
    quality = DataQuality(
        3, findings=("1 cell of 'age' could not be read.",) * has_drift, row_statuses=statuses
    )
    drift = change(samples.a_drift_report()) if has_drift else None
    return render(
        "result",
        prices=LIST_PRICES,
        summary=change(summary),
        scored_at=samples.NOW,
        engine="in ranges of rows by functions side by side",
        quality=change(quality),
        drift=drift,
        reasons_changed=changes_of_reasons(drift) if drift else (),
        downloads={"predictions.csv": "Download the predictions"},
        nonce=change("n"),
    )


PAGES: dict[str, Callable[[Change], str]] = {
    "approval": a_request_page,
    "approval outcome": lambda change: render_outcome(change(samples.a_decided_request()), is_late=True),
    "rollback": an_offer_page,
    "rollback outcome": lambda change: render_offer_outcome(change(samples.an_offer(decided=True))),
    "retry": a_retry_page,
    "retry that was started": lambda change: a_retry_page(change, nonce=""),
    "retraining": a_retraining_page,
    "retraining that was started": lambda change: a_retraining_page(change, nonce=""),
    "retraining that is over": lambda change: a_retraining_page(change, nonce="", problem="Another one."),
    "result": a_result_page,
    "result without drift": lambda change: a_result_page(change, has_drift=False),
    "message": lambda change: message(410, change("Too late"), change("It has expired.")).html,
    "drift report": lambda change: render_drift(change(samples.a_drift_report())),
    "drift alert": an_alert_page,
    "drift alert that is over": lambda change: an_alert_page(change, nonce=""),
    "quality": lambda change: render_quality(change(samples.a_quality_report())),
    "model card": a_card,
    "model card of a regression": lambda change: a_card(change, "regression"),
    "runs": a_runs_page,
    "versions": lambda change: compare_versions(
        *map(change, (samples.a_previous_model(), samples.a_model()))
    ).render_html(),
    "validation": lambda change: render_report(
        change(samples.a_validation_report()), title=change("uploads/train.csv")
    ),
}


def a_groups_widget(change: Change) -> str:
    batch = ScoredBatch("adherence", "b", "march.csv", "v1.0.0", samples.NOW)
    row = GroupRow(
        change("adherence"),
        samples.NOW.date(),
        champion=change(samples.a_model()),
        waiting=[change(samples.a_previous_model())],
        batch=change(RecordedBatch(batch, 240, (), (), 1)),
        drift=change(AlertState(NIGHT, samples.a_model().version, nights=(Night(NIGHT, "ALERT"),))),
        arrivals=change(AlertState(NIGHT, samples.a_model().version, nights=(Night(NIGHT, "WARN"),))),
        quality=change(replace(samples.a_quality_report(), model_version=samples.a_model().version)),
        run=change(samples.some_runs()[0]),
    )
    return render("widget_groups", rows=[row], **WIDGET)


def an_alarms_widget(change: Change) -> str:
    alarm = Alarm(change("s-DriftAlarm-1"), "ALARM", change("Look."), samples.NOW)
    return render("widget_alarms", alarms=[alarm], states=STATES, title=alarm_title, **WIDGET)


def a_drift_widget(change: Change) -> str:
    reports = {NIGHT: change(samples.a_drift_report())}
    maps = [draw_map(change("adherence"), reports, [NIGHT - timedelta(days=1), NIGHT])]
    return render("widget_drift", maps=maps, hidden=["ALERT", "OK"], n_days=14, **WIDGET)


def a_quality_widget(change: Change) -> str:
    report = change(samples.a_quality_report())
    chart = draw_trend(report)
    trend = QualityTrend(report.model_group, report.model_version, "OK", "as approved", report.metric, chart)
    return render("widget_quality", trends=[trend], hidden=["as approved"], **WIDGET)


def an_activity_widget(change: Change) -> str:
    entry = Activity(samples.NOW, change("adherence"), change("scoring x.csv"), "finished", change("3 rows"))
    return render("widget_activity", entries=[entry], **WIDGET)


def a_features_widget(change: Change) -> str:
    values = ViewState(1, 1_200, samples.NOW, samples.NOW)
    row = ViewRow(change("vitals"), 2, values, True, samples.NOW, [change(samples.a_model())])
    return render("widget_features", rows=[row], **WIDGET)


# Fragments of HTML that another page shows: the dashboard of CloudWatch, and that of the local cloud.
WIDGETS: dict[str, Callable[[Change], str]] = {
    "groups": a_groups_widget,
    "alarms": an_alarms_widget,
    "drift": a_drift_widget,
    "quality": a_quality_widget,
    "activity": an_activity_widget,
    "features": a_features_widget,
}

each_page = pytest.mark.parametrize("name", PAGES)


class Outline(HTMLParser):
    """Collects tags and attributes, and checks that tags close in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")
        if tag not in ("meta", "input", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        self.text += data


@each_page
@pytest.mark.parametrize("change", [plain, attack])
def test_a_page_is_whole_and_the_strict_policy_lets_all_of_it_through(name: str, change: Change):
    page = PAGES[name](change)
    outline = Outline(page)
    assert outline.open == []
    assert page.startswith("<!doctype html>")
    assert page.count("<style>") == 1
    assert f"<style>{STYLE}</style>" in page  # exactly the text that the hash of the policy is of
    assert not {"style", "srcset", "background"} & outline.attributes.keys()
    assert not {"script", "link", "iframe", "object", "base"} & outline.tags
    assert not re.search(r"url\(|@import|expression\(", page)


@each_page
def test_no_text_from_the_data_becomes_markup(name: str):
    page = PAGES[name](attack)
    outline = Outline(page)
    assert samples.ATTACK in outline.text  # it is shown, as text
    assert not [attribute for attribute in outline.attributes if attribute.startswith("on")]
    assert "<script" not in page
    assert '"onload' not in page
    assert "{{ 7*7 }}" in outline.text  # no text is a template either
    assert all(value.startswith("data:image/svg+xml;base64,") for value in outline.attributes.get("src", []))


@pytest.mark.parametrize("name", WIDGETS)
def test_a_widget_is_whole_without_a_script_and_no_text_from_the_data_becomes_markup(name: str):
    for change in (plain, attack):
        widget = WIDGETS[name](change)
        outline = Outline(widget)
        assert outline.open == []
        assert not {"script", "link", "iframe", "object", "use", "html", "body"} & outline.tags
        assert not [attribute for attribute in outline.attributes if attribute.startswith("on")]
        assert outline.attributes["style"] == ["color-scheme:dark"]
    assert samples.ATTACK in outline.text
    assert "{{ 7*7 }}" in outline.text


def test_the_rules_of_a_widget_style_nothing_else_of_the_page_around_it():
    style = re.sub(r"/\*.*?\*/", "", WIDGET_STYLE, flags=re.DOTALL)
    selectors = [each.strip() for rule in re.findall(r"([^{}]+)\{", style) for each in rule.split(",")]
    assert selectors
    assert all(selector.startswith((".", "@media ")) for selector in selectors)


@each_page
def test_no_page_shows_a_scorers_prefix(name: str):
    assert "neg_" not in PAGES[name](plain)


def test_no_text_of_an_email_or_a_terminal_shows_a_scorers_prefix():
    model = samples.a_model(metrics=samples.a_regression_result().metrics)
    texts = [
        compose_request(samples.a_request(), "ada@example.com", "https://x/y")[1],
        compare_versions(model, model).render(),
        compare_runs(samples.some_runs()).render(),
    ]
    assert not [text for text in texts if "neg_" in text]
    assert re.search(r"RMSE \(lower is better\) +17\.98", texts[1])


def test_every_template_is_rendered_by_these_tests():
    environment.cache_clear()
    for page in [*PAGES.values(), *WIDGETS.values()]:
        page(plain)
    rendered = {template for _, template in environment().cache}
    assert {path.name for path in TEMPLATES.iterdir()} == rendered


def test_the_judged_score_is_the_first_of_the_tables_of_quality():
    report = samples.a_quality_report()
    scores = dict(sorted(report.overall.scores.items(), key=lambda item: item[0] == report.metric))
    assert next(iter(scores)) != report.metric
    page = render_quality(replace(report, overall=replace(report.overall, scores=scores)))
    headings = re.findall(r'<th class="num" scope="col">(.*?)</th>', page)
    assert metric_name(report.metric) in headings[1]


def test_compiled_templates_render_the_same_page(tmp_path):
    compile_templates(tmp_path)
    compiled = environment().overlay(loader=jinja2.ModuleLoader(tmp_path))
    context = {"title": samples.ATTACK, "sentences": ["It has expired."]}
    assert compiled.get_template("message.html.jinja").render(context) == render("message", **context)


def test_a_missing_value_is_an_error_and_not_a_gap_on_the_page():
    with pytest.raises(jinja2.UndefinedError, match="sentences"):
        render("message", title="Too late")


def test_the_hash_of_the_style_is_the_one_in_the_policy():
    headers = message(400, "x").to_event("GET")["headers"]
    assert f"style-src '{STYLE_HASH}'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]


@cache
def class_names() -> set[str]:
    """Names of the library's classes with two capitals, as in `RuleFinding`; errors are named to people."""
    modules = (ast.parse(path.read_text("utf-8")) for path in Path(mlops.__file__).parent.rglob("*.py"))
    names = {node.name for module in modules for node in ast.walk(module) if isinstance(node, ast.ClassDef)}
    return {name for name in names if re.search(r"[a-z][A-Z]", name) and not name.endswith("Error")}


@pytest.mark.parametrize("page", PAGES)
def test_no_page_shows_the_name_of_a_class(page: str):
    assert "RuleFinding" in class_names()
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", PAGES[page](plain), flags=re.DOTALL)
    assert not set(re.findall(r"\w+", text)) & class_names()


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_figure_as_a_file_styles_only_itself_and_escapes_its_labels(task: str):
    result = samples.a_training_result() if task == "binary" else samples.a_regression_result()
    for figure in figures(attack(result), attack(samples.some_details(task))):
        file = as_file(figure).decode()
        outline = Outline(file)
        assert outline.open == []
        assert "<script" not in file
        assert "/* Pages */" not in file
        style = file.partition("<style>")[2].partition("</style>")[0]
        selectors = re.findall(r"([^{}]+)\{", re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL))
        assert all(selector.strip().startswith(".") for selector in selectors)


def test_the_lines_of_drift_on_the_card_are_those_of_the_models_settings():
    page = PAGES["model card of a regression"](plain)  # its settings warn from 0.05 and alert from 0.3
    assert "from 0.05 on it is worth a look, from 0.3 on it is another population" in page
    default = PAGES["model card"](plain)
    assert "from 0.1 on it is worth a look, from 0.2 on it is another population" in default


def test_the_scores_of_a_regression_read_as_errors():
    text = Outline(PAGES["model card of a regression"](plain)).text
    words = " ".join(text.split())
    assert "RMSE 17.98 (16.20 to 19.90) is better than a model that looks at nothing (23.40)." in words
    assert "17.98 against 18.44, difference -0.460 (-0.888 to -0.0319 at 99.3%)" in words
    assert "lower is better, in the unit of the target" in words
    assert "RMSE out of fold: HistGradientBoosting 18.10, Ridge 19.40" in words


def test_the_approver_reads_the_worst_slice_against_all_rows():
    evidence = gather(samples.a_model(), None, samples.some_details())
    note, *_ = describe_worst_slices(evidence)
    assert "sex = male: 0.6600 (0.5500 to 0.7500) on 70 rows" in note
    assert "0.7800 on all rows" in note
    assert gather(samples.a_model(), None, EvaluationDetails()).slice_note is None
