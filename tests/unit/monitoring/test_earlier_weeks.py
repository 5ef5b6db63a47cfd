"""Nights compared with the same weekdays of earlier weeks: seasons are quiet, changes are found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops.models.drift.profiles import BaselineStatistics, BatchProfile
from mlops.models.drift.report import Anomaly, DriftReport, Reference
from mlops.models.errors import SettingsError
from mlops.models.settings.group import DriftSettings, GroupSettings
from mlops.monitoring import DriftDetector, build_baseline, merge, profile_batch, render, render_text
from mlops.monitoring.profiles.reference import baseline_of
from mlops.monitoring.profiles.segments import with_segments
from mlops.monitoring.verdict.reference import WEEKS_BEFORE, state_of, with_reference
from mlops.use_cases.drift.drift_archive import NightlyArchive
from mlops.use_cases.drift.earlier_weeks import read_earlier_weeks

from .test_nightly_check import BUCKET, World

GROUP = "adherence"
MONDAY = date(2026, 3, 2)
ROWS = 250
LEVELS = (30.0, 34.0, 38.0, 42.0, 46.0, 56.0, 62.0)  # of Monday to Sunday

type Change = Callable[[pd.DataFrame], pd.DataFrame]


def on(week: int, weekday: int = 0) -> date:
    return MONDAY + timedelta(weeks=week, days=weekday)


def rows_of(day: date, *, n: int = ROWS) -> pd.DataFrame:
    """Ages and visits have a level of the weekday, doses have none; the weekend is constant on each day."""
    rng, weekday = np.random.default_rng((3, day.toordinal())), day.weekday()
    return pd.DataFrame(
        {
            "age": rng.normal(LEVELS[weekday], 6.0, n),
            "dose": rng.normal(5.0, 1.0, n),
            "weekend": np.full(n, int(weekday > 4)),
            "visit": rng.choice(["home", "clinic"], n, p=(0.9, 0.1) if weekday > 4 else (0.2, 0.8)),
            "site": rng.choice(["north", "south"], n),
        }
    )


def predictions_of(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"prediction": frame["age"].to_numpy() / 100.0})


TRAINING = pd.concat(
    [rows_of(on(week, weekday)) for week in range(-8, 0) for weekday in range(7)], ignore_index=True
)


@pytest.fixture(scope="module")
def baseline() -> BaselineStatistics:
    """A baseline of eight weeks before the first one."""
    return build_baseline(TRAINING, outputs=predictions_of(TRAINING))


@pytest.fixture(scope="module")
def with_sites(baseline: BaselineStatistics) -> BaselineStatistics:
    """The baseline with a segment for each site."""
    outputs = predictions_of(TRAINING)
    return with_segments(baseline, TRAINING, ["site"], held_out=TRAINING, outputs=outputs)


class SeasonalWorld(World):
    """A group whose files have a weekly season."""

    def __init__(self, root: Path, baseline: BaselineStatistics) -> None:
        super().__init__(root)
        self.add_group(GROUP)
        self.use("weekday")
        self.baselines[GROUP] = baseline
        self.write(f"models/{GROUP}/v1.0.0/baseline_statistics.json", baseline.to_json())

    def use(self, reference: Any) -> None:
        champion = self.champions.by_group[GROUP]
        assert champion is not None
        self.champions.by_group[GROUP] = replace(
            champion,
            created_at=datetime(2025, 1, 1, tzinfo=UTC),
            settings=GroupSettings(drift=DriftSettings(reference=reference)),
        )

    def deliver(self, day: date, change: Change = lambda frame: frame, *, n: int = ROWS) -> None:
        """Score a file on a day."""
        frame = change(rows_of(day, n=n))
        profile = profile_batch(frame, self.baselines[GROUP], outputs=predictions_of(frame))
        self.write(f"profiles/{GROUP}/v1.0.0/{day}/file.json", profile.to_json())

    def live(
        self, days: list[date], change: Change = lambda frame: frame, *, n: int = ROWS
    ) -> dict[date, DriftReport]:
        """Score a file on each day and check it in the night after; return the reports by day."""
        reports = {}
        for day in days:
            self.deliver(day, change, n=n)
            for facts in self.objects.list(BUCKET, f"drift/{GROUP}/state.json"):
                self.objects.delete(facts.ref)  # else the nights in between would be checked as well
            self.run(day + timedelta(days=1))
            reports[day] = self.report(GROUP, day + timedelta(days=1))
        return reports


@pytest.fixture
def world(tmp_path: Path, baseline: BaselineStatistics) -> SeasonalWorld:
    return SeasonalWorld(tmp_path, baseline)


def verdicts(reports: Mapping[date, DriftReport]) -> list[str]:
    return [report.verdict for report in reports.values()]


def mondays(*weeks: int) -> list[date]:
    return [on(week) for week in weeks]


def whole_weeks(*weeks: int) -> list[date]:
    return [on(week, weekday) for week in weeks for weekday in range(7)]


def scaled(name: str, factor: float) -> Change:
    return lambda frame: frame.assign(**{name: frame[name] * factor})


def shifted(name: str, by: float) -> Change:
    return lambda frame: frame.assign(**{name: frame[name] + by})


def test_a_weekly_season_warns_beside_training_and_not_beside_the_same_weekdays(world: SeasonalWorld):
    first = world.live(whole_weeks(0, 1, 2))
    assert "OK" not in {report.verdict for day, report in first.items() if day.weekday() in (0, 5, 6)}
    assert all(report.reference is not None and not report.earlier_weeks for report in first.values())
    later = world.live(whole_weeks(3, 4))
    assert verdicts(later) == ["OK"] * 14
    assert {report.prediction_verdict for report in later.values()} == {"OK"}
    report = later[on(3)]
    assert report.reference == Reference("weekday", True, 3, 3 * ROWS, 0, "ALERT", False)
    assert (report.n_rows, report.n_rows_baseline, report.n_rows_held_out) == (ROWS, 3 * ROWS, 3 * ROWS)


def test_the_reference_is_named_wherever_the_verdict_is(world: SeasonalWorld):
    early, *_, late = world.live(mondays(*range(4))).values()
    for report, sentence in (
        (early, "Compared with training, because only 0 rows of the same weekdays in 0 earlier weeks can be"),
        (late, "Compared with the same weekdays in 3 earlier weeks (750 rows), faults with training too."),
    ):
        assert sentence in report.rule
        assert sentence in render_text(report)
        assert sentence in render(report)
    assert "against 750 rows of the same weekdays in 3 earlier weeks, scored by v1.0.0" in render_text(late)
    assert "Compared with training alone: ALERT." in late.rule
    assert "training rows" not in render(late)
    assert "The inputs look as they did in earlier weeks." in render_text(late)


def test_a_shift_on_one_weekday_is_found(world: SeasonalWorld):
    world.live(whole_weeks(0, 1, 2))
    assert verdicts(world.live([on(3), on(3, 1), on(3, 2)])) == ["OK"] * 3
    changed = world.live([on(4, 2)], shifted("age", 6.0))[on(4, 2)]
    assert (changed.verdict, changed.features_with_drift) == ("ALERT", ("age",))
    assert changed.prediction_verdict == "ALERT"
    assert verdicts(world.live([on(4, 3)])) == ["OK"]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (scaled("dose", 12.0), "scale_change"),
        (lambda frame: frame.drop(columns="dose"), "missing_column"),
        (lambda frame: frame.assign(dose=np.nan), "empty_column"),
    ],
)
def test_a_fault_that_lasts_alerts_every_time_and_never_becomes_the_reference(
    world: SeasonalWorld, change: Change, kind: str
):
    world.live(mondays(0, 1, 2))
    faulty = world.live(mondays(*range(3, 9)), change)
    assert verdicts(faulty) == ["ALERT"] * 6
    for report in faulty.values():
        assert kind in {anomaly.kind for anomaly in report.anomalies if anomaly.column == "dose"}
        assert report.reference is not None
        assert (report.reference.n_weeks, report.reference.has_training_fault) == (3, True)
    assert verdicts(world.live(mondays(9))) == ["OK"]


def test_a_change_that_lasts_alerts_until_another_version_is_in_service(
    world: SeasonalWorld, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(WEEKS_BEFORE, "weekday", range(1, 9))
    world.live(mondays(*range(4)))
    changed = list(world.live(mondays(*range(4, 15)), shifted("age", 8.0)).values())
    assert [report.verdict for report in changed] == ["ALERT"] * 11
    references = [report.reference for report in changed]
    assert references[4] == Reference("weekday", True, 4, 4 * ROWS, 4, "ALERT", False)
    assert references[-1] == Reference("weekday", False, 0, 0, 8)
    assert "without 8 weeks that alerted" in changed[-1].rule


def test_few_rows_are_compared_with_whole_weeks_and_fewer_with_training(world: SeasonalWorld):
    world.live(whole_weeks(0, 1, 2), n=20)
    for day in whole_weeks(3):
        world.deliver(day, n=20)
    world.run(on(4))
    report = world.report(GROUP, on(4))
    assert (report.window_days, report.n_rows, report.verdict) == (7, 140, "OK")
    assert report.reference == Reference("weekday", True, 3, 420, 0, report.verdict, False)
    for day in whole_weeks(6, 7, 8, 9):
        world.deliver(day, n=5)
    world.run(on(10))
    month = world.report(GROUP, on(10))
    assert (month.window_days, month.reference) == (30, Reference("weekday", False, 0, 0))


def test_weeks_of_few_rows_are_no_reference(world: SeasonalWorld):
    world.live(mondays(0, 1), n=80)
    world.live(mondays(2), n=120)
    report = world.live(mondays(3))[on(3)]
    assert report.reference is not None
    assert not report.reference.is_used
    assert "280 rows" in report.rule


def test_a_night_that_was_not_judged_for_the_version_is_no_reference(world: SeasonalWorld):
    world.live(mondays(0, 1, 2))
    key = f"drift/{GROUP}/{on(1, 1)}/drift_report.json"
    document = json.loads(world.report(GROUP, on(1, 1)).to_json())
    world.write(key, json.dumps({**document, "model_version": "v0.9.0"}))
    report = world.live(mondays(3))[on(3)]
    assert report.reference is not None
    assert (report.reference.is_used, report.reference.n_weeks) == (False, 2)


def test_a_season_is_compared_with_the_weeks_a_year_earlier(world: SeasonalWorld):
    def warmer(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(dose=frame["dose"] + 0.8)

    world.use("season")
    world.live(mondays(*range(-52, -49)), warmer)
    report = world.live(mondays(0), warmer)[on(0)]
    assert report.verdict == "OK"
    assert report.reference is not None
    assert (report.reference.is_used, report.reference.n_weeks) == (True, 3)
    assert "the same weekdays in 3 weeks a year earlier" in report.rule
    assert world.live(mondays(1))[on(1)].features_with_drift == ("dose",)


def test_seasons_without_a_year_of_files_are_compared_with_training(world: SeasonalWorld):
    world.use("season")
    reports = world.live(mondays(*range(5)))
    assert {report.earlier_weeks for report in reports.values()} == {None}
    assert verdicts(reports) == ["ALERT"] * 5


class SideBySideArchive(NightlyArchive):
    """An archive in which each day is read only while another one is being read."""

    def __init__(self, archive: NightlyArchive) -> None:
        super().__init__(archive.objects, archive.bucket)
        object.__setattr__(self, "both", Barrier(2, timeout=10.0))
        object.__setattr__(self, "days", [])

    def batches(self, group: str, version: str, days: Iterable[date]) -> list[BatchProfile]:
        """Wait for the reader of another day."""
        listed = list(days)
        self.days.extend(listed)
        self.both.wait()
        return super().batches(group, version, listed)


def test_days_of_earlier_weeks_are_read_side_by_side_and_no_more_than_are_used(world: SeasonalWorld):
    world.live([on(week) for week in range(9)])
    archive = SideBySideArchive(NightlyArchive(world.objects, BUCKET))
    champion = world.champions.by_group[GROUP]
    assert champion is not None
    reference, profiles = read_earlier_weeks(archive, champion, [on(9)])
    assert (reference.n_weeks, len(profiles), reference.n_rows) == (8, 8, 8 * ROWS)
    assert sorted(archive.days) == [on(week) for week in range(1, 9)]


def test_a_fault_beside_training_is_found_where_earlier_weeks_have_it_too(with_sites: BaselineStatistics):
    def profile(week: int) -> Any:
        frame = rows_of(on(week))
        north = frame["site"] == "north"
        frame.loc[north, "dose"] *= 12.0
        return profile_batch(frame.assign(visit=None), with_sites, outputs=predictions_of(frame))

    earlier = DriftDetector(baseline_of(with_sites, merge(*map(profile, range(4)))))
    reference = Reference("weekday", True, 4, 4 * ROWS)
    compared = earlier.detect_drift(profile(4))
    assert compared.verdict == "OK"
    report = with_reference(DriftDetector(with_sites).detect_drift(profile(4)), reference, compared)
    assert report.verdict == "ALERT"
    assert report.features["visit"].verdict == "ALERT"
    assert report.features_with_drift == ("visit",)
    assert "dose of site: north" in " ".join(report.reasons)
    assert [(segment.name, change.name) for segment, change in report.changes_in_segments] == [
        ("site: north", "dose")
    ]
    assert report.drift_score >= report.alert_threshold
    assert DriftReport.from_json(report.to_json()) == report


def test_few_nights_without_a_change_warn(with_sites: BaselineStatistics):
    verdicts = []
    for number in range(60):
        days = [on(4 * number + week, number % 7) for week in range(4)]
        *earlier, batch = (
            profile_batch(frame, with_sites, outputs=predictions_of(frame)) for frame in map(rows_of, days)
        )
        verdicts.append(DriftDetector(baseline_of(with_sites, merge(*earlier))).detect_drift(batch).verdict)
    assert verdicts.count("OK") >= 56
    assert "ALERT" not in verdicts


def test_which_nights_may_be_a_reference(baseline: BaselineStatistics):
    calm = DriftDetector(baseline).detect_drift(rows_of(on(0)))
    alert = replace(calm, verdict="ALERT", anomalies=(), segments=())
    fault = replace(alert, anomalies=(Anomaly("age", "missing_column", "ALERT", "", 1.0, is_fault=True),))
    used, unused = Reference("weekday", True, 8, 900), Reference("weekday", False, 1, 90)
    after_alerts = replace(unused, n_weeks_alerting=1)
    for report, reference, expected in (
        (replace(alert, verdict="WARN"), used, "usual"),
        (alert, None, "usual"),
        (alert, unused, "usual"),
        (alert, after_alerts, "alerting"),
        (alert, used, "alerting"),
        (fault, None, "faulty"),
        (fault, after_alerts, "faulty"),
        (fault, replace(used, has_training_fault=True), "faulty"),
        (fault, used, "alerting"),
    ):
        assert state_of(replace(report, reference=reference)) == expected


def test_the_setting_is_one_of_three_and_is_stored_only_when_it_is_stated():
    assert "reference" not in DriftSettings().to_dict()
    stated = GroupSettings.from_toml('[drift]\nreference = "season"\n').drift
    assert DriftSettings.from_dict(stated.to_dict()).reference == "season"
    with pytest.raises(SettingsError, match=r"'weekdays' of drift\.reference"):
        GroupSettings.from_toml('[drift]\nreference = "weekdays"\n')
