"""When the alarm goes on and off."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.models.drift.report import DriftVerdict
from mlops.monitoring.alert_state import AlertState, Night, Notification, advance

FIRST = date(2026, 5, 1)
LETTERS: dict[str, DriftVerdict] = {"A": "ALERT", "w": "WARN", "o": "OK", "-": "INSUFFICIENT_DATA"}


def announcements(nights: str, *, version: str = "v1.0.0", state: AlertState | None = None) -> str:
    """Play one letter a night and return what was announced: D(etected), W(arned), R(esolved) or a dot."""
    heard = ""
    for offset, letter in enumerate(nights):
        night = FIRST + timedelta(days=offset)
        state = advance(state, night=night, verdict=LETTERS[letter], model_version=version)
        heard += {None: ".", "DriftDetected": "D", "DriftResolved": "R", "DriftWarned": "W"}[
            state.pending and state.pending.kind
        ]
    return heard


@pytest.mark.parametrize(
    ("nights", "heard"),
    [
        ("A", "."),
        ("AA", ".D"),
        ("AoA", "..D"),
        ("AooA", "...."),
        ("ww", ".."),
        ("wwwww", "..W.."),
        ("wwwoo", "..W.."),
        ("wwwooo", "..W..R"),
        ("wwwAA", "..W.D"),
        ("wwwoww", "..W..."),
        ("wwwooowwwwwww", "..W..R...W..."),
        ("wAwwooo", "..W...R"),
        ("AAwwww", ".D...."),
        ("AAwwoo", ".D..R."),
        ("AAAAA", ".D..."),
        ("AAoo", ".D.R"),
        ("A-A", "..D"),
        ("AA---", ".D..."),
        ("AAooAA", ".D.R.."),
        ("AAooAAoo", ".D.R...."),
        ("AAooAAAAAA", ".D.R....D."),
    ],
)
def test_two_alerts_in_three_nights_announce_once_and_a_cool_down_keeps_quiet(nights: str, heard: str):
    assert announcements(nights) == heard


def test_the_same_night_again_announces_nothing_new():
    state = advance(None, night=FIRST, verdict="ALERT", model_version="v1.0.0")
    state = advance(state, night=FIRST, verdict="ALERT", model_version="v1.0.0")
    assert (len(state.nights), state.pending) == (1, None)


def test_another_champion_starts_with_an_empty_memory():
    state = advance(None, night=FIRST, verdict="ALERT", model_version="v1.0.0")
    state = advance(state, night=FIRST + timedelta(days=1), verdict="ALERT", model_version="v1.0.1")
    assert (state.is_alarmed, state.pending) == (False, None)


def test_the_alarm_about_the_old_champion_is_resolved_when_the_new_one_is_fine():
    state = AlertState(FIRST, "v1.0.0", is_alarmed=True, is_announced=True, announced_on=FIRST)
    night = FIRST + timedelta(days=1)
    after = advance(state, night=night, verdict="OK", model_version="v1.0.1")
    assert after.pending == Notification("DriftResolved", night)


def test_a_snooze_keeps_quiet_and_an_alarm_that_is_still_on_is_announced_after_it():
    until, heard, alarming, state = FIRST + timedelta(days=4), [], [], None
    for offset in range(7):
        night = FIRST + timedelta(days=offset)
        snoozed_until = until if offset >= 2 else None
        state = advance(
            state, night=night, verdict="ALERT", model_version="v1.0.0", snoozed_until=snoozed_until
        )
        heard.append(state.pending and state.pending.kind)
        alarming.append(state.is_alarming)
    assert heard == [None, "DriftDetected", None, None, None, "DriftDetected", None]
    assert alarming == [False, True, False, False, False, True, True]


def acknowledged(nights: str, *, from_night: int, announced_on: int) -> tuple[str, list[bool]]:
    """Return the announcements and the alarm of each night, with an acknowledgement from one night on."""
    heard, alarming, state = "", [], None
    for offset, letter in enumerate(nights):
        state = advance(
            state,
            night=FIRST + timedelta(days=offset),
            verdict=LETTERS[letter],
            model_version="v1.0.0",
            acknowledged_on=FIRST + timedelta(days=announced_on) if offset >= from_night else None,
        )
        heard += state.pending.kind[len("Drift")] if state.pending else "."
        alarming.append(state.is_alarming)
    return heard, alarming


def test_a_warning_that_is_acknowledged_becomes_an_alarm_without_an_email_until_it_is_over():
    assert announcements("wwwAAooo") == "..W.D.R."
    heard, alarming = acknowledged("wwwAAooo", from_night=3, announced_on=2)
    assert heard == "..W...R."
    assert alarming == [False] * 4 + [True, True] + [False] * 2


def test_an_acknowledgement_does_not_cover_the_next_alert():
    heard, _ = acknowledged("wwwooooooowww", from_night=3, announced_on=2)
    assert heard == "..W..R......W"


def test_an_acknowledged_alarm_is_not_announced_again_after_a_snooze():
    state = AlertState(
        FIRST, "v1.0.0", is_alarmed=True, is_announced=True, is_snoozed=True, alert_since=FIRST,
        nights=(Night(FIRST, "ALERT"),),
    )  # fmt: skip
    night = FIRST + timedelta(days=1)
    again = advance(state, night=night, verdict="ALERT", model_version="v1.0.0")
    assert again.pending == Notification("DriftDetected", night)
    after = advance(state, night=night, verdict="ALERT", model_version="v1.0.0", acknowledged_on=FIRST)
    assert (after.pending, after.is_alarming) == (None, True)


@pytest.mark.property
@given(st.text(alphabet="Awo-", max_size=40))
def test_detected_and_resolved_alternate_and_alarms_are_a_week_apart(nights: str):
    heard = announcements(nights)
    assert re.fullmatch("((WD?|D)R)*(WD?|D)?", heard.replace(".", ""))
    alarms = [index for index, letter in enumerate(heard) if letter == "D"]
    assert all(later - earlier >= 7 for earlier, later in pairwise(alarms))


@pytest.mark.property
@given(st.text(alphabet="Awo-", min_size=1, max_size=12))
def test_the_state_survives_json(nights: str):
    state = None
    for offset, letter in enumerate(nights):
        state = advance(
            state, night=FIRST + timedelta(days=offset), verdict=LETTERS[letter], model_version="v1.0.0"
        )
    assert state is not None
    assert AlertState.from_json(state.to_json()) == state
