"""The widgets of the dashboard: what a person on call sees of groups, alarms, drift and quality."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.show_dashboard import app
from mlops.context.dependencies import Dependencies
from mlops.feature_store.definitions import FeatureService
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.ledger.batches import RecordedBatch, ScoredBatch
from mlops.models.experiment import RunFailure, RunStatus
from mlops.models.scoring.quality import QualityScore
from mlops.models.settings.columns import FeatureSettings
from mlops.monitoring.alert_state import AlertState, Night
from mlops.use_cases.dashboard.alarm_list import title
from mlops.use_cases.dashboard.drift_map import MAX_GROUPS
from mlops.use_cases.dashboard.quality_trends import draw_trend
from mlops.use_cases.dashboard.show_dashboard import WIDGETS, show_widget
from mlops.use_cases.drift.drift_archive import NightlyArchive
from tests.feature_stores import an_empty_feature_store
from tests.functions.approval_stage import CONTEXT
from tests.unit.feature_store.conftest import a_view, write_csv
from tests.unit.pages import samples

GROUP, NOW = "claims", samples.NOW
TODAY = NOW.date()
AXIS_LABEL = r'class="tick"[^>]*text-anchor="end"[^>]*>([^<]+)<'


class DashboardStage:
    """An empty stack with the function."""

    def __init__(self, registry_table: str, folder: Path) -> None:
        client("s3").create_bucket(Bucket="artifacts")
        variables = {"ARTIFACT_BUCKET_NAME": "artifacts", "REGISTRY_TABLE_NAME": registry_table}
        self.parts = Dependencies("show_dashboard", variables, now=lambda: NOW)
        self.folder = folder

    def register(self, group: str = GROUP) -> str:
        artifact = self.folder / "model.txt"
        artifact.write_text("model")
        registry = self.parts.registry
        return registry.register_model(group, artifact, {}, {}, "d", "Ridge").version

    def promote(self, group: str = GROUP) -> str:
        version = self.register(group)
        self.parts.registry.approve_model(group, version)
        self.parts.registry.promote_model(group, version)
        return version

    def check(
        self,
        version: str,
        verdict: Any,
        group: str = GROUP,
        night: date = TODAY,
        state: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> None:
        """Keep the state and the report of a nightly check; `changes` are those of the report."""
        after = AlertState(night, version, nights=(Night(night, verdict),), **(state or {}))
        self.parts.drift_archive.write_state(group, after)
        report = samples.a_drift_report(model_group=group, verdict=verdict, **changes)
        self.parts.drift_archive.write_report(group, night, report)

    def measure(self, version: str, group: str = GROUP) -> None:
        report = replace(samples.a_quality_report(), model_group=group, model_version=version)
        self.parts.quality_archive.write_report(report)

    def score(self, file: str, at: datetime, batch_id: str = "b", group: str = GROUP) -> None:
        batch = ScoredBatch(group, batch_id, file, "v1.0.0", at)
        self.parts.ledger.batches.record(RecordedBatch(batch, 240, (), (), 1))

    def fail_a_training(self, message: str, group: str = GROUP) -> None:
        run = replace(
            samples.some_runs()[0],
            group=group,
            status=RunStatus.FAILED,
            failure=RunFailure("JobStoppedError", message),
        )
        self.parts.run_store.add(run)

    def show(self, widget: str, **request: Any) -> Any:
        event = {"widget": widget, "widgetContext": {"theme": "dark"}, **request}
        return app.handler(event, CONTEXT, dependencies=self.parts)


@pytest.fixture
def stage(registry_table: str, tmp_path: Path) -> DashboardStage:
    return DashboardStage(registry_table, tmp_path)


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL).split())


def test_an_empty_stack_says_what_to_do_and_shows_nothing_red(
    stage: DashboardStage, repository: Path
) -> None:
    event = json.loads((repository / "events" / "show_dashboard.json").read_text())
    assert "Drop a training file" in app.handler(event, CONTEXT, dependencies=stage.parts)
    for widget in WIDGETS:
        shown = stage.show(widget).partition("</style>")[2]
        assert not re.search(r'class="[^"]*(ALERT|DROPPED|ALARM|failed)', shown), widget


def test_a_group_is_one_row_with_everything_about_it(stage: DashboardStage) -> None:
    version = stage.promote()
    stage.check(version, "ALERT", state={"alert_since": TODAY - timedelta(days=1)})
    stage.parts.registry.snooze_drift(GROUP, TODAY)
    stage.measure(version)
    stage.score("march.csv", NOW - timedelta(hours=3))
    candidate = stage.register()
    stage.parts.registry.request_approval(GROUP, candidate, "h" * 64)
    shown = text_of(stage.show("groups"))
    for words in (
        "claims v1.0.0 for",
        "3 h ago 240 rows of march.csv",
        "ALERT alert since 28 Feb, snoozed",
        "below approved ROC AUC",
        f"{candidate} for 0 min",
    ):
        assert words in shown


def test_answers_to_a_drift_alert_are_shown_at_once_and_while_they_hold(stage: DashboardStage) -> None:
    stage.check(
        stage.promote(), "ALERT", state={"alert_since": TODAY, "is_acknowledged": True, "is_snoozed": True}
    )
    assert "alert since 01 Mar –" in text_of(
        stage.show("groups")
    )  # not answered, whatever the last night said
    registry = stage.parts.registry
    registry.acknowledge_drift(GROUP, TODAY - timedelta(days=9), by="a@b.c")  # an alert that is over
    registry.snooze_drift(GROUP, TODAY - timedelta(days=1))
    assert "alert since 01 Mar –" in text_of(stage.show("groups"))
    registry.acknowledge_drift(GROUP, TODAY, by="a@b.c")
    registry.snooze_drift(GROUP, TODAY)
    assert "alert since 01 Mar, acknowledged, snoozed" in text_of(stage.show("groups"))


def test_verdicts_of_an_earlier_champion_are_not_those_of_the_next(stage: DashboardStage) -> None:
    stage.check(stage.promote(), "ALERT")
    stage.measure("v1.0.0")
    assert "ALERT" in text_of(stage.show("groups"))
    assert stage.promote() == "v1.0.1"
    shown = text_of(stage.show("groups"))
    assert "ALERT" not in shown
    assert "below approved" not in shown


def test_groups_that_need_someone_come_first(stage: DashboardStage) -> None:
    for group, verdict in (("a-calm", "OK"), ("b-changed", "WARN"), ("c-far", "ALERT")):
        stage.check(stage.promote(group), verdict, group)
    shown = text_of(stage.show("groups"))
    assert shown.index("c-far") < shown.index("b-changed") < shown.index("a-calm")


def test_a_training_that_failed_is_seen_in_both_widgets_also_without_a_version(stage: DashboardStage) -> None:
    stage.fail_a_training("It was <b>stopped</b>.")
    assert "JobStoppedError" in text_of(stage.show("groups"))
    activity = stage.show("activity")
    assert "It was &lt;b&gt;stopped&lt;/b&gt;." in activity
    assert '<span class="badge failed">' in activity


def test_the_last_of_several_files_of_a_day_is_the_one_that_is_shown(stage: DashboardStage) -> None:
    stage.promote()
    for number, batch_id in enumerate(("c", "a", "b")):
        stage.score(f"file-{number}.csv", NOW - timedelta(hours=3 - number), batch_id)
    stage.score("yesterday.csv", NOW - timedelta(days=1), "d")
    assert "file-2.csv" in text_of(stage.show("groups"))
    shown = text_of(stage.show("activity"))
    order = [shown.index(f"scoring {name}.csv") for name in ("file-2", "file-1", "file-0", "yesterday")]
    assert order == sorted(order)


def test_the_map_has_a_cell_for_each_feature_and_day_and_the_index_of_a_change(stage: DashboardStage) -> None:
    stage.check(stage.promote(), "ALERT")
    report = samples.a_drift_report()
    shown = stage.show("drift")
    for name, feature in report.features.items():
        assert f">{name}</th>" in shown
        index = f"{feature.psi:.2f}" if feature.psi <= 1 else "&gt; 1"
        assert f"{name}, {TODAY:%d %b}: {feature.verdict}, index (PSI) {index}" in shown
    assert shown.count("not checked") == 13 * (1 + len(report.features))
    assert shown.count("predictions not compared") == 14


def test_narrow_windows_show_the_last_seven_days_of_the_map(stage: DashboardStage) -> None:
    stage.check(stage.promote(), "OK")
    shown = stage.show("drift")
    row = shown.partition("All features")[2].partition("</tr>")[0]
    assert re.findall(r"<td( class=\"older\")?>", row) == [' class="older"'] * 7 + [""] * 7
    assert re.search(r"@media \(max-width:480px\)\{[^}]*\.older\{display:none\}\}", shown)


def test_a_day_without_a_check_long_ago_is_not_on_the_map(stage: DashboardStage) -> None:
    stage.check(stage.promote(), "OK", night=TODAY - timedelta(days=20))
    assert "No drift check" in text_of(stage.show("drift"))


def test_the_map_shows_the_drift_of_predictions(stage: DashboardStage) -> None:
    outputs = {
        name: replace(samples.a_numeric_drift(), name=name, psi=psi, verdict=verdict)
        for name, psi, verdict in (("prediction", 0.05, "OK"), ("probability_yes", 0.15, "WARN"))
    }
    stage.check(stage.promote(), "OK", predictions=outputs, prediction_verdict="WARN")
    shown = stage.show("drift")
    assert ">Predictions</th>" in shown
    assert (
        f'<span class="WARN" title="probability_yes, {TODAY:%d %b}: WARN, index (PSI) 0.15">0.15</span>'
        in shown
    )


def test_what_is_not_shown_is_counted_by_its_verdict(stage: DashboardStage) -> None:
    names = [f"feature_{number:02}" for number in range(13)]
    features = {
        name: replace(samples.a_calm_feature(), name=name, verdict="WARN" if number < 11 else "OK")
        for number, name in enumerate(names)
    }
    for number in range(9):
        group = f"group-{number}"
        verdict = "ALERT" if number < 7 else "WARN"
        version = stage.promote(group)
        stage.check(version, verdict, group, features=features)
        stage.measure(version, group)
    text = text_of(stage.show("drift"))
    assert "3 more features: 1 WARN, 2 OK at most." in text
    assert "3 more groups: 1 ALERT, 2 WARN." in text
    assert "3 more groups: 3 below approved." in text_of(stage.show("quality"))


def test_reports_of_groups_that_are_not_on_the_map_are_not_read(
    stage: DashboardStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(MAX_GROUPS + 2):
        stage.check(stage.promote(f"group-{number}"), "OK", f"group-{number}")
    read: list[str] = []
    newest_reports = NightlyArchive.newest_reports

    def recording(archive: NightlyArchive, group: str, n: int) -> Any:
        read.append(group)
        return newest_reports(archive, group, n)

    monkeypatch.setattr(NightlyArchive, "newest_reports", recording)
    stage.show("drift")
    assert sorted(read) == [f"group-{number}" for number in range(MAX_GROUPS)]


def test_the_trend_shows_realised_and_estimated_quality_and_the_approved_score(stage: DashboardStage) -> None:
    stage.measure("v1.0.0")
    shown = stage.show("quality")  # the group has no version here: reports outlive it
    assert "Nothing is measured" in shown
    stage.measure(stage.promote())
    report, shown = samples.a_quality_report(), stage.show("quality")
    assert "ROC AUC by period" in text_of(shown)
    for part in report.periods:
        assert f"<title>{part.name}: {part.scores['roc_auc'].value:.4f}</title>" in shown
    for estimate in report.estimates:
        assert f"<title>{estimate.name}: {estimate.score.value:.4f}</title>" in shown
    assert shown.count('class="dashed"') == 1


def test_the_axis_of_a_trend_has_round_numbers(stage: DashboardStage) -> None:
    stage.measure(stage.promote())
    labels = re.findall(AXIS_LABEL, stage.show("quality"))
    numbers = [float(label) for label in labels]
    assert len(numbers) >= 2
    assert all(len(label) <= 4 for label in labels), labels
    assert numbers == sorted(numbers)


def test_neighbours_on_the_axis_of_a_trend_are_told_apart() -> None:
    report, name = samples.a_quality_report(), "neg_root_mean_squared_error"
    errors = [QualityScore(-1234.1 - 0.3 * n) for n in range(5)]
    scored = zip(report.periods, errors, strict=True)
    periods = tuple(replace(part, scores={name: error}) for part, error in scored)
    overall = replace(report.overall, approved=errors[0])
    chart = draw_trend(replace(report, metric=name, periods=periods, overall=overall, estimates=()))
    labels = re.findall(AXIS_LABEL, str(chart))
    assert labels[:4] == ["1234", "1234.5", "1235", "1235.5"]


def test_alarms_are_sorted_by_state_and_say_what_to_do(stage: DashboardStage) -> None:
    cloudwatch, names = client("cloudwatch"), []
    for logical_id, state in (("CalmAlarm", "OK"), ("NewAlarm", "INSUFFICIENT_DATA"), ("LoudAlarm", "ALARM")):
        names.append(f"my-stack-{logical_id}-1A2B3C4D5E6F")
        cloudwatch.put_metric_alarm(
            AlarmName=names[-1],
            AlarmDescription=f"{logical_id} <i>rings</i>.",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            MetricName="M",
            Namespace="N",
            Period=60,
            Statistic="Sum",
            Threshold=1,
        )
        cloudwatch.set_alarm_state(AlarmName=names[-1], StateValue=state, StateReason="test")
    shown = stage.show("alarms", alarms=[*names, "my-stack-GoneAlarm-1A2B3C4D5E6F"])
    text = text_of(shown)
    assert text.index("Loud") < text.index("New") < text.index("Calm")
    assert "LoudAlarm &lt;i&gt;rings&lt;/i&gt;." in shown
    assert "CalmAlarm" not in text, "what to do is said of those in alarm only"
    assert "2 alarms to look at, 1 OK" in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mlops-DriftCheckMissingAlarm-1A2B3C4D5E6F", "Drift check missing"),
        ("a-stack-with-dashes-NoApproverAlarm-X", "No approver"),
        ("other", "Other"),
    ],
)
def test_an_alarm_is_called_by_the_words_of_its_name(name: str, words: str) -> None:
    assert title(name) == words


def test_a_widget_takes_the_colours_of_the_console_and_of_the_reader_elsewhere(stage: DashboardStage) -> None:
    assert 'style="color-scheme:dark"' in stage.show("groups")
    assert 'style="color-scheme:light dark"' in stage.show("groups", widgetContext={"theme": '"><script>'})
    assert 'style="color-scheme:light dark"' in stage.show("groups", widgetContext=None)


def test_an_unknown_widget_and_a_question_about_the_parameters_are_answered(stage: DashboardStage) -> None:
    assert "Did you mean 'groups'?" in stage.show("group")["markdown"]
    assert "Known: " in stage.show("")["markdown"]
    assert "**widget**" in stage.show("", describe=True)["markdown"]


class OneChampion:
    """A registry of one group, whose champion learned from a service."""

    def __init__(self, service: str) -> None:
        settings = replace(samples.a_model().settings, features=FeatureSettings(service, 1))
        self._model = replace(samples.a_model(), model_group=GROUP, settings=settings)

    def groups(self) -> list[str]:
        return [GROUP]

    def champion(self, group: str) -> Any:
        return self._model


def test_a_view_without_new_values_comes_first_and_names_the_champions_that_learned_from_it(
    stage: DashboardStage,
) -> None:
    parts = stage.parts.dashboard_sources
    store = an_empty_feature_store(FilesystemObjects(stage.folder), now=lambda: NOW)
    store.definition_store = parts.views.definitions
    store.offline = replace(store.offline, states=parts.views.values)
    hourly = replace(a_view("vitals"), expected_every=timedelta(hours=1))
    store.apply([a_view("labs"), hourly, FeatureService("adherence_v1", [hourly])])
    assert text_of(stage.show("features")).count("no values yet") == 2
    row = {"patient_id": "A", "at": (NOW - timedelta(hours=2)).isoformat(), "bmi": 20.5}
    store.ingest("vitals", write_csv(stage.folder / "v.csv", [row]))
    shown = text_of(show_widget({"widget": "features"}, replace(parts, registry=OneChampion("adherence_v1"))))
    assert "vitals version 1 1 2 h ago stale last file 0 min ago – claims v" in shown
    assert shown.index("vitals") < shown.index("labs")


def test_drawing_changes_nothing(stage: DashboardStage) -> None:
    version = stage.promote()
    stage.check(version, "ALERT", state={"alert_since": date(2026, 2, 1)})
    table, before = client("dynamodb"), len(stage.parts.registry.audit(GROUP))
    items = table.scan(TableName="registry")["Items"]
    for widget in WIDGETS:
        stage.show(widget)
    assert len(stage.parts.registry.audit(GROUP)) == before
    assert table.scan(TableName="registry")["Items"] == items
