"""The nightly check proposes a retraining once, for a reason, and says what it is made of."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.check_retraining import app
from mlops.monitoring.alert_state import AlertState
from tests.functions.approval_stage import GROUP, a_candidate
from tests.functions.retraining_stage import PROPOSE, RetrainingStage, some_rows


@pytest.fixture
def retraining(stage, tmp_path: Path) -> RetrainingStage:
    """A champion on 200 rows, and 80 scored rows with outcomes; its quality has dropped."""
    ready = RetrainingStage(stage, tmp_path)
    ready.write_settings(PROPOSE)
    ready.promote(ready.accept(some_rows(200)))
    scored = some_rows(80, first=1001, seed=1)
    ready.score(scored)
    ready.label(scored)
    ready.drop_quality()
    return ready


def night(stage: RetrainingStage) -> dict[str, Any]:
    stage.now += timedelta(days=1)
    answer = stage.handle(app, {"scheduled_at": stage.now.isoformat()})
    (checked,) = answer["groups"]
    return checked


def test_a_drop_of_quality_is_answered_with_one_proposal(retraining, repository: Path):
    event = json.loads((repository / "events/check_retraining.json").read_text())
    (checked,) = retraining.handle(app, event)["groups"]
    assert checked["outcome"] == "proposed"
    (email,) = retraining.emails()
    assert email["subject"] == f"[{GROUP}] Train again?"
    for sentence in (
        "The quality dropped: ROC AUC 0.4000 over 80 labels, approved with ROC AUC 0.6100.",
        "200 rows of accepted files",
        "80 rows that were scored and whose outcome is known",
        "80 rows of them are new to v1.0.0",
        "v1.0.0 stays in service as it is.",
        "5 min 00 s",
    ):
        assert sentence in " ".join(email["body"].split())
    assert [name for name, _ in retraining.events] == ["RetrainingProposed"]
    assert retraining.events[0][1]["n_new_rows"] == 80
    assert [night(retraining)["outcome"] for _ in range(3)] == ["cool_down"] * 3
    retraining.now += timedelta(days=14)
    assert night(retraining)["outcome"] == "proposed"
    assert len(retraining.emails()) == 2


def test_no_reason_no_policy_no_new_rows_and_no_day_propose_nothing(retraining):
    retraining.write_settings(PROPOSE.replace("min_new_rows = 50", "min_new_rows = 81"))
    assert night(retraining)["outcome"] == "too_few_rows"
    retraining.write_settings("")
    assert night(retraining)["outcome"] == "never"
    weekday = (retraining.now + timedelta(days=2)).strftime("%A").lower()
    retraining.write_settings(f'{PROPOSE}weekdays = "{weekday}"\n')
    assert night(retraining)["outcome"] == "not_today"
    assert night(retraining)["outcome"] == "proposed"
    assert len(retraining.emails()) == 1


@pytest.mark.parametrize(
    ("setting", "outcome"),
    [
        ('on = ["drift"]', "no_reason"),
        ("on = []\nnew_labels = 80", "proposed"),
        ("on = []\nnew_labels = 81", "no_reason"),
        ("on = []\nmax_age_days = 1", "proposed"),
        ("on = []\nmax_age_days = 3000", "no_reason"),
    ],
)
def test_age_and_labels_are_reasons_where_model_toml_names_them(retraining, setting: str, outcome: str):
    from mlops.infrastructure.clock import utc_now

    retraining.now = utc_now() + timedelta(days=10)  # the champion was registered by the real clock
    retraining.write_settings(f"{PROPOSE}{setting}\nledger_days = 3650\n")
    assert night(retraining)["outcome"] == outcome


def test_the_labels_that_are_counted_every_night_are_those_of_the_training_set(retraining):
    planner = retraining.parts.retraining_planner

    def counted() -> tuple[int, int]:
        with planner.plan(GROUP, retraining.now) as made:
            return planner.count_new_labels(GROUP, retraining.now), made.n_new_labels

    assert counted() == (80, 80)
    more = [*some_rows(30, first=1061, seed=2), *some_rows(10), *some_rows(10)]  # some twice, some trained on
    retraining.score(more, "b2")
    retraining.label(more, "u2")
    assert counted() == (90, 90)
    retraining.write_settings(f'{PROPOSE}files = "none"\n')
    assert counted() == (90, 90)
    retraining.write_settings(f"{PROPOSE}ledger_rows = false\n")
    assert counted() == (0, 0)
    retraining.write_settings(f'time_column = "age"\nexclude_columns = ["age"]\n{PROPOSE}')
    n_counted, n_made = counted()
    assert n_counted == n_made > 0


def test_a_retraining_that_was_requested_and_has_not_started_keeps_proposals_back(retraining):
    retraining.parts.retraining_requests.request_now(GROUP, by="ada", now=retraining.now)
    retraining.now += timedelta(days=30)  # longer than the cool-down
    assert night(retraining)["outcome"] == "cool_down"
    retraining.store.save(retraining.newest(), status="refused")
    assert night(retraining)["outcome"] == "proposed"


def test_of_two_changes_of_a_retraining_at_the_same_moment_the_first_counts(retraining):
    night(retraining)
    proposed = retraining.newest()
    first = retraining.store.save(proposed, status="requested", requested_by="ada")
    assert retraining.store.save(proposed, status="requested", requested_by="bob") == first
    assert retraining.newest().requested_by == "ada"
    assert retraining.store.save(first, status="started").revision == proposed.revision + 2


def test_the_price_of_the_proposal_is_that_of_the_deployment(retraining):
    retraining.stage.variables["TRAINING_USD_PER_HOUR"] = "1.2"
    assert night(retraining)["outcome"] == "proposed"
    (email,) = retraining.emails()
    assert "It costs about $0.10: some 5 min 00 s" in " ".join(email["body"].split())


def test_a_drift_alert_about_the_champion_is_a_reason(retraining):
    retraining.write_settings(f'{PROPOSE}on = ["drift"]\n')
    archive = retraining.parts.drift_archive
    night_before, since = retraining.now.date(), date(2026, 3, 20)
    alert = AlertState(night_before, "v0.9.0", is_alarmed=True, is_announced=True, alert_since=since)
    archive.write_state(GROUP, alert)
    assert night(retraining)["outcome"] == "no_reason"  # about another version
    archive.write_state(GROUP, replace(alert, model_version="v1.0.0"))
    assert night(retraining)["outcome"] == "proposed"
    assert "The drift alert is on since 2026-03-20." in retraining.newest().reasons


def test_a_waiting_candidate_keeps_a_proposal_back(retraining):
    retraining.parts.registry.register(GROUP, a_candidate(dataset_version="another"))
    assert night(retraining)["outcome"] == "in_progress"


def test_auto_without_the_policy_of_the_group_asks_and_says_what_is_missing(retraining):
    retraining.write_settings(PROPOSE.replace("propose", "auto"))
    assert night(retraining)["outcome"] == "proposed"
    assert f"mlops policy set {GROUP} --retraining auto" in " ".join(retraining.emails()[0]["body"].split())


def test_auto_with_the_policy_requests_without_a_question(retraining):
    retraining.stage.set_policy(retraining="auto")
    retraining.write_settings(PROPOSE.replace("propose", "auto"))
    assert night(retraining)["outcome"] == "requested"
    assert retraining.emails() == []
    requested = retraining.newest()
    assert retraining.events == [
        (
            "RetrainingRequested",
            {
                "group": GROUP,
                "retraining_id": requested.retraining_id,
                "artifact_bucket": "artifacts",
            },
        )
    ]


def test_a_policy_of_never_is_stronger_than_model_toml(retraining):
    retraining.stage.set_policy(retraining="never")
    assert night(retraining)["outcome"] == "never"


def test_an_email_that_was_not_sent_is_sent_by_the_next_night(retraining, monkeypatch):
    from mlops.infrastructure import notifications

    def fails(*_: object, **__: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(notifications, "send_email", fails)
        with pytest.raises(Exception, match=r"Not checked for retraining: 1 group: .*ConnectionError"):
            night(retraining)
    assert retraining.emails() == []
    assert night(retraining)["outcome"] == "cool_down"
    assert len(retraining.emails()) == 1
    assert night(retraining)["outcome"] == "cool_down"
    assert len(retraining.emails()) == 1
