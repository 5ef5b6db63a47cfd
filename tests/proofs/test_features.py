"""Features as of a time over many random histories: the laws that the gate checks with few."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.feature_store import point_in_time_laws as laws
from tests.unit.feature_store.histories import START, histories, requests

N_EXAMPLES = {"hour": 200, "full": 2_000}.get(os.environ.get("PROOFS", "some"), 0)

pytestmark = pytest.mark.skipif(not N_EXAMPLES, reason="long: `make prove` runs it")

TTLS = st.none() | st.integers(1, 6).map(lambda hours: timedelta(hours=hours))
HOURS = st.integers(0, 12).map(lambda hours: START + timedelta(hours=hours))
many = settings(
    max_examples=N_EXAMPLES or 1,
    derandomize=False,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)


@many
@given(histories(40), requests(25), TTLS)
def test_values_as_of_a_time_are_those_of_the_definition(history, entity_rows, ttl):
    laws.equals_the_definition(history, entity_rows, ttl)


@many
@given(histories(40), requests(25), HOURS)
def test_a_value_of_the_future_never_appears(history, entity_rows, moment):
    laws.ignores_the_future(history, entity_rows, moment)


@many
@given(histories(40), TTLS, HOURS)
def test_the_online_store_has_at_a_time_what_the_files_have_as_of_it(history, ttl, moment):
    laws.offline_equals_online(history, ttl, moment)
