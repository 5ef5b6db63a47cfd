"""The nightly check over stored profiles: windows, reports, alarms, repetition, failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops.feature_store.freshness import ViewFreshness
from mlops.feature_store.offline.state import ValueStates
from mlops.feature_store.registry.versions import DefinitionStore
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.ledger.batches import LedgerBatches, RecordedBatch, ScoredBatch
from mlops.models.drift.profiles import BaselineStatistics
from mlops.models.drift.report import DriftReport
from mlops.models.errors import DriftError
from mlops.models.objects import Artifact, ObjectRef
from mlops.models.registry import Acknowledgement, ModelMetadata, Status
from mlops.models.settings.columns import FeatureSettings
from mlops.models.settings.group import DriftSettings, GroupSettings
from mlops.models.training import EvaluationMetrics
from mlops.monitoring import build_baseline, profile_batch, render_text
from mlops.use_cases.drift.check_drift import NightlyCheck, nights_due
from mlops.use_cases.drift.drift_archive import NightlyArchive
from mlops.use_cases.drift.drift_notification import Compose
from tests.memory_table import MemoryTable

BUCKET = "artifacts"
NIGHT = date(2026, 5, 10)


class FakeChampions:
    """Champions in a dict."""

    def __init__(self) -> None:
        self.by_group: dict[str, ModelMetadata | None] = {}

    def groups(self) -> list[str]:
        return sorted(self.by_group)

    def champion(self, group: str) -> ModelMetadata | None:
        return self.by_group[group]


class RecordingAnnouncer:
    """`Notifier` that remembers; it breaks a given number of times."""

    def __init__(self) -> None:
        self.emails: list[tuple[str, str]] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.published: list[tuple[str | None, str, float]] = []
        self.failures_left = 0

    def send_email(self, subject: str, body: str, *, group: str) -> None:
        if self.failures_left:
            self.failures_left -= 1
            raise ConnectionError("the email service is down")
        self.emails.append((subject, body))

    def publish_event(self, detail_type: str, detail: dict[str, Any]) -> None:
        self.events.append((detail_type, detail))

    def publish_metrics(self, metrics: Sequence[Metric], *, group: str | None) -> None:
        self.published += [(group, metric.name, metric.value) for metric in metrics]

    @property
    def heartbeats(self) -> int:
        return sum(name == "DriftChecksCompleted" for _, name, _ in self.published)


class RecordingPersonalEmails:
    """`PersonalEmails` to a given number of approvers; by default there are none."""

    def __init__(self) -> None:
        self.n_approvers = 0
        self.emails: list[tuple[str, date, str]] = []

    def send(self, group: str, night: date, compose: Compose) -> int:
        subject, _ = compose("https://api.example.com/alerts/a.b")
        self.emails += [(group, night, subject)] * self.n_approvers
        return self.n_approvers


class World:
    """An artifact bucket on disk, a registry, and a check over both."""

    def __init__(self, root: Path) -> None:
        self.objects = FilesystemObjects(root)
        self.champions = FakeChampions()
        self.notifier = RecordingAnnouncer()
        self.baselines: dict[str, BaselineStatistics] = {}
        self.personal = RecordingPersonalEmails()
        self.batches = LedgerBatches(MemoryTable())
        self.check = NightlyCheck(
            NightlyArchive(self.objects, BUCKET),
            self.champions,
            self.notifier,
            self.personal,
            self.batches,
            ViewFreshness(DefinitionStore(MemoryTable()), ValueStates(MemoryTable())),
        )

    def add_group(
        self, group: str, *, version: str = "v1.0.0", settings: GroupSettings | None = None
    ) -> None:
        rng = np.random.default_rng(0)
        baseline = build_baseline(
            pd.DataFrame({"age": rng.normal(41, 10, 800), "dose": rng.normal(5, 1, 800)})
        )
        self.baselines[group] = baseline
        self.champions.by_group[group] = ModelMetadata(
            model_group=group,
            version=version,
            number=1,
            status=Status.CHAMPION,
            created_at=datetime(2026, 5, 1, tzinfo=UTC),
            algorithm="RandomForest",
            hyperparameters={},
            metrics=EvaluationMetrics(),
            dataset_version="d",
            artifact=Artifact(uri="s3://artifacts/m", sha256="0" * 64),
            settings=settings or GroupSettings(),
        )
        self.write(f"models/{group}/{version}/baseline_statistics.json", baseline.to_json())

    def score(
        self, group: str, day: date, *, rows: int, age: float = 41, version: str = "v1.0.0", **more: int
    ) -> None:
        rng = np.random.default_rng(rows + day.toordinal())
        frame = pd.DataFrame({"age": rng.normal(age, 10, rows), "dose": rng.normal(5, 1, rows), **more})
        profile = profile_batch(frame, self.baselines[group])
        batch_id = f"{rng.integers(2**31):x}"
        self.write(f"profiles/{group}/{version}/{day.isoformat()}/{batch_id}.json", profile.to_json())

    def write(self, key: str, text: str) -> None:
        self.objects.write(ObjectRef(BUCKET, key), text.encode(), "application/json")

    def run(self, night: date = NIGHT) -> list[Any]:
        return self.check.run(datetime(night.year, night.month, night.day, 2, tzinfo=UTC))

    def report(self, group: str, night: date = NIGHT) -> DriftReport:
        key = f"drift/{group}/{night.isoformat()}/drift_report.json"
        return DriftReport.from_json(self.objects.read(ObjectRef(BUCKET, key)))

    def keys(self, prefix: str) -> list[str]:
        return [facts.ref.key for facts in self.objects.list(BUCKET, prefix)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def day(offset: int) -> date:
    return NIGHT + timedelta(days=offset)


def night_of(detail: dict[str, Any]) -> date:
    return date.fromisoformat(detail["report_uri"].split("/")[-2])


def test_a_night_merges_the_batches_of_the_day_and_writes_both_reports(world: World):
    world.add_group("adherence")
    world.score("adherence", day(-1), rows=60)
    world.score("adherence", day(-1), rows=120)
    (check,) = world.run()
    assert (check.group, check.verdict, check.n_batches, check.n_rows) == ("adherence", "OK", 2, 180)
    assert check.report_uri == "s3://artifacts/drift/adherence/2026-05-10/drift_report.html"
    assert len(world.keys("drift/adherence/2026-05-10/")) == 2
    report = world.report("adherence")
    assert (report.model_group, report.model_version, report.window_days) == ("adherence", "v1.0.0", 1)


def test_the_report_says_how_new_the_features_of_the_model_are(world: World):
    world.add_group("adherence", settings=GroupSettings(features=FeatureSettings("adherence_v1", 1)))
    world.run()
    (sentence,) = world.report("adherence").feature_views
    assert "'adherence_v1'" in sentence
    assert sentence in render_text(world.report("adherence"))


@pytest.mark.parametrize(("age_days", "window"), [(1, 1), (5, 7), (20, 30)])
def test_the_window_widens_until_there_are_a_hundred_rows(world: World, age_days: int, window: int):
    world.add_group("adherence")
    world.score("adherence", day(-1), rows=20)
    world.score("adherence", day(-age_days), rows=150)
    world.score("adherence", day(-60), rows=1000)
    (check,) = world.run()
    assert (check.n_rows, world.report("adherence").window_days) == (170, window)


def test_a_group_without_enough_rows_is_reported_without_verdict_or_numbers(world: World):
    world.add_group("adherence")
    world.score("adherence", day(-2), rows=60, age=90)
    (check,) = world.run()
    assert (check.verdict, check.n_rows) == ("INSUFFICIENT_DATA", 60)
    assert world.notifier.published == [
        ("adherence", "DriftAlerts", 0),
        ("adherence", "ArrivalAlerts", 0),
        (None, "DriftChecksCompleted", 1),
    ]


def test_a_group_that_was_never_scored_has_an_empty_report(world: World):
    world.add_group("adherence")
    (check,) = world.run()
    assert (check.verdict, check.n_rows, check.n_batches) == ("INSUFFICIENT_DATA", 0, 0)


def test_without_any_group_the_heartbeat_still_beats(world: World):
    assert world.run() == []
    assert world.notifier.heartbeats == 1


def test_a_group_without_champion_is_passed_over(world: World):
    world.champions.by_group["new"] = None
    assert world.run() == []
    assert world.keys("drift/") == []


def test_numbers_are_published_per_group(world: World):
    world.add_group("adherence")
    world.score("adherence", day(-1), rows=300, age=60)
    world.run()
    report = world.report("adherence")
    assert world.notifier.published[:3] == [
        ("adherence", "DriftScore", report.drift_score),
        ("adherence", "FeaturesWithDrift", 1),
        ("adherence", "DriftAlerts", 0),
    ]


def test_the_alarm_and_the_email_start_and_end_in_the_same_nights(world: World):
    world.add_group("adherence")
    for offset, age in enumerate([60, 60, 41, 41, 41]):
        world.score("adherence", day(2 * offset), rows=300, age=age)
    for offset in range(10):
        world.run(day(offset))
    alarms = [int(value) for _, name, value in world.notifier.published if name == "DriftAlerts"]
    announced = [night_of(detail) for _, detail in world.notifier.events]
    assert announced == [day(alarms.index(1)), day(len(alarms) - alarms[::-1].index(1))]
    assert alarms == sorted(alarms[: alarms.index(1) + 1]) + sorted(
        alarms[alarms.index(1) + 1 :], reverse=True
    )


def test_a_snoozed_group_is_checked_but_sends_nothing_until_the_snooze_ends(world: World):
    world.add_group("adherence")
    for offset in range(-1, 6):
        world.score("adherence", day(offset), rows=300, age=60)
    champion = world.champions.by_group["adherence"]
    world.champions.by_group["adherence"] = replace(champion, drift_snoozed_until=day(3))
    for offset in range(6):
        world.run(day(offset))
    assert world.report("adherence", day(2)).verdict == "ALERT"
    assert [night_of(detail) for _, detail in world.notifier.events] == [day(4)]
    alarms = [int(value) for _, name, value in world.notifier.published if name == "DriftAlerts"]
    assert alarms == [0, 0, 0, 0, 1, 1]


def test_a_warning_that_lasts_is_emailed_once_and_resolved(world: World):
    world.add_group("adherence")
    for offset in range(-1, 8):
        world.score("adherence", day(offset), rows=1000, **({"surprise": 1} if offset < 4 else {}))
    for offset in range(9):
        world.run(day(offset))
    assert [kind for kind, _ in world.notifier.events] == ["DriftWarned", "DriftResolved"]
    subject, body = world.notifier.emails[0]
    assert subject == "Inputs changed somewhat in 3 checks: adherence"
    assert "- surprise: training did not have this column" in body
    assert "Verdict WARN, drift score " in body
    assert "Rule: ALERT when" in body
    assert "mlops snooze adherence --days 7" in body


def test_the_second_night_of_drift_sends_one_mail_and_one_event(world: World):
    world.add_group("adherence")
    for offset in range(-1, 5):
        world.score("adherence", day(offset), rows=300, age=60)
    world.run(day(0))
    assert world.notifier.emails == []
    for offset in range(1, 5):
        world.run(day(offset))
    ((subject, body),) = world.notifier.emails
    assert subject == "Inputs changed: adherence (age)"
    assert "- age: median 40.5 -> " in body
    assert "inputs changed, not that the model is bad" in body
    assert "s3://artifacts/drift/adherence/2026-05-11/drift_report.html" in body
    ((kind, detail),) = world.notifier.events
    assert (kind, detail["group"], detail["features_with_drift"]) == ("DriftDetected", "adherence", ["age"])


def test_approvers_get_personal_emails_of_an_alert_and_its_end_goes_to_all_subscribers(world: World):
    world.add_group("adherence")
    world.personal.n_approvers = 2
    for offset, age in enumerate([60, 60, 41, 41, 41, 41]):
        world.score("adherence", day(2 * offset), rows=300, age=age)
    for offset in range(12):
        world.run(day(offset))
    assert world.personal.emails == [("adherence", day(1), "Inputs changed: adherence (age)")] * 2
    assert [subject for subject, _ in world.notifier.emails] == ["Back to normal: adherence"]
    assert [kind for kind, _ in world.notifier.events] == ["DriftDetected", "DriftResolved"]


def test_an_acknowledged_warning_becomes_an_alarm_without_an_email(world: World):
    world.add_group("adherence")
    for offset in range(-1, 6):
        drift = {"age": 60} if offset > 2 else {"surprise": 1}
        world.score("adherence", day(offset), rows=1000, **drift)
    for offset in range(3):
        world.run(day(offset))
    champion = world.champions.by_group["adherence"]
    acknowledged = Acknowledgement(day(2), "link of ada@example.com")
    world.champions.by_group["adherence"] = replace(champion, drift_acknowledged=acknowledged)
    for offset in range(3, 7):
        world.run(day(offset))
    assert [kind for kind, _ in world.notifier.events] == ["DriftWarned"]
    assert len(world.notifier.emails) == 1
    assert [int(value) for _, name, value in world.notifier.published if name == "DriftAlerts"][-1] == 1


def test_when_the_inputs_return_a_mail_says_so(world: World):
    world.add_group("adherence")
    for offset, age in enumerate([60, 60, 41, 41, 41, 41]):
        world.score("adherence", day(2 * offset), rows=300, age=age)
    for offset in range(12):
        world.run(day(offset))
    assert [kind for kind, _ in world.notifier.events] == ["DriftDetected", "DriftResolved"]
    assert world.notifier.emails[1][0] == "Back to normal: adherence"


def test_running_twice_gives_the_same_report_and_no_second_mail(world: World):
    world.add_group("adherence")
    for offset in (-1, 0, 1):
        world.score("adherence", day(offset), rows=300, age=60)
    world.run(day(0))
    first = world.run(day(1))
    report = world.report("adherence", day(1))
    assert world.run(day(1)) == first
    assert world.report("adherence", day(1)) == report
    assert len(world.notifier.emails) == 1
    assert len(world.keys("drift/adherence/2026-05-11/")) == 2


def test_missed_nights_are_made_up_for(world: World):
    world.add_group("adherence")
    world.score("adherence", day(-1), rows=300)
    world.run(day(0))
    for offset in (1, 2, 3):
        world.score("adherence", day(offset), rows=300, age=60)
    (check,) = world.run(day(4))
    assert check.report_uri.endswith("2026-05-14/drift_report.html")
    assert world.report("adherence", day(2)).verdict == "ALERT"
    assert {key.split("/")[2] for key in world.keys("drift/adherence/2026")} == {
        day(offset).isoformat() for offset in range(5)
    }
    assert len(world.notifier.emails) == 1


def test_an_old_night_requested_again_does_not_touch_the_alarm(world: World):
    world.add_group("adherence")
    world.score("adherence", day(0), rows=300)
    world.run(day(3))
    before = world.objects.read(ObjectRef(BUCKET, "drift/adherence/state.json"))
    (check,) = world.run(day(0))
    assert check.verdict == "OK"
    assert world.objects.read(ObjectRef(BUCKET, "drift/adherence/state.json")) == before


def test_a_mail_that_could_not_be_sent_is_sent_by_the_next_run(world: World):
    world.add_group("adherence")
    for offset in (-1, 0, 1):
        world.score("adherence", day(offset), rows=300, age=60)
    world.run(day(0))
    world.notifier.failures_left = 1
    with pytest.raises(DriftError, match="mail service is down"):
        world.run(day(1))
    world.run(day(1))
    world.run(day(1))
    assert len(world.notifier.emails) == 1


def test_a_failing_group_stops_neither_the_others_nor_the_failure(world: World):
    world.add_group("adherence")
    world.add_group("broken")
    world.add_group("other")
    for group in ("adherence", "other"):
        world.score(group, day(-1), rows=200)
    world.write("profiles/broken/v1.0.0/2026-05-09/b.json", "{not json")
    with pytest.raises(DriftError, match="broken"):
        world.run()
    assert world.report("adherence").verdict == "OK"
    assert world.report("other").verdict == "OK"
    assert world.notifier.heartbeats == 0


def test_only_what_the_champion_itself_scored_counts(world: World):
    world.add_group("adherence", version="v1.0.1")
    world.score("adherence", day(-1), rows=300, age=90, version="v1.0.0")
    world.score("adherence", day(-1), rows=200, version="v1.0.1")
    (check,) = world.run()
    assert (check.verdict, check.n_rows) == ("OK", 200)


def test_the_thresholds_of_the_group_are_used(world: World):
    settings = GroupSettings(
        drift=DriftSettings(threshold=50.0, alert_threshold=60.0, exclude_columns=("dose",))
    )
    world.add_group("adherence", settings=settings)
    world.score("adherence", day(-1), rows=300, age=46)
    (check,) = world.run()
    assert check.verdict == "OK"
    assert set(world.report("adherence").features) == {"age"}


@pytest.mark.parametrize(("offset", "expected"), [(0, 1), (-3, 1), (1, 1), (4, 4), (400, 30)])
def test_nights_due_are_the_missed_ones_but_never_a_month(world: World, offset: int, expected: int):
    from mlops.monitoring.alert_state import AlertState

    due = nights_due(AlertState(last_checked=NIGHT, model_version="v1.0.0"), day(offset))
    assert len(due) == expected
    assert due[-1] == day(offset)


def deliver(world: World, group: str, days: Sequence[date], *, rows: int = 300) -> None:
    """Score a file of as many rows on each day."""
    for each in days:
        world.score(group, each, rows=rows)
        scored_at = datetime(each.year, each.month, each.day, 9, tzinfo=UTC)
        for file, n_rows in ((f"{each}.csv", rows), ("request", 9_000)):
            batch = ScoredBatch(group, f"{file}-{each}", file, "v1.0.0", scored_at)
            world.batches.record(RecordedBatch(batch, n_rows, (), (), 1))


def test_files_that_stop_arriving_have_an_alert_of_their_own(world: World):
    world.add_group("adherence")
    world.personal.n_approvers = 1
    deliver(world, "adherence", [day(offset) for offset in (*range(-20, 0), *range(6, 12))])
    for offset in range(12):
        world.run(day(offset))
    assert [kind for kind, _ in world.notifier.events] == ["ArrivalsAlerted", "ArrivalsResolved"]
    detail = world.notifier.events[0][1]
    assert (detail["verdict"], detail["problem"], detail["days_since"]) == ("ALERT", "no_file", 4)
    assert world.personal.emails == [("adherence", day(3), "No new file to score: adherence")]
    ((subject, body),) = world.notifier.emails
    assert subject == "Files to score arrive as usual: adherence"
    assert "Files OK: last file scored on" in body
    values = [value for _, name, value in world.notifier.published if name == "ArrivalAlerts"]
    assert values == [0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    assert not any(value for _, name, value in world.notifier.published if name == "DriftAlerts")
    assert world.report("adherence", day(4)).verdict == "OK", "the values did not change"
    assert "Files ALERT: last file scored on 2026-05-09" in render_text(world.report("adherence", day(4)))


def test_two_days_of_few_rows_are_emailed_and_acknowledged_apart_from_drift(world: World):
    world.add_group("adherence")
    deliver(world, "adherence", [day(offset) for offset in range(-60, 0)])
    deliver(world, "adherence", [day(offset) for offset in range(4)], rows=40)
    world.run(day(1))
    champion = world.champions.by_group["adherence"]
    world.champions.by_group["adherence"] = replace(
        champion, drift_acknowledged=Acknowledgement(day(-9), "link of ada@example.com")
    )
    (check,) = world.run(day(2))
    assert (check.verdict, check.arrivals) == ("OK", "ALERT")
    ((subject, body),) = world.notifier.emails
    assert subject == "Fewer rows to score than usual: adherence"
    assert "40 rows on 2026-05-11 (on Mondays usually 150 to 600)" in body
    assert "Rule: WARN when no file was scored" in body


def test_a_group_that_expects_no_files_is_not_told_about_them(world: World):
    world.add_group("adherence", settings=GroupSettings(drift=DriftSettings(expected_every_days=0)))
    deliver(world, "adherence", [day(offset) for offset in range(-40, -20)])
    for offset in range(4):
        world.run(day(offset))
    assert world.notifier.events == []
    assert "Files" not in render_text(world.report("adherence"))
