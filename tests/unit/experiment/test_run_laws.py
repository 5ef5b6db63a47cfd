"""Laws of a run's changes, over many runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.experiment import changes
from mlops.experiment.values import flatten
from mlops.models.experiment import MetricPoint, Run, RunStatus

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUN = Run("one", "adherence", "one", RunStatus.RUNNING, NOW)

moments = st.tuples(st.integers(-3, 3), st.integers(0, 9))
histories = st.lists(st.tuples(st.sampled_from("ab"), moments), unique=True).map(
    lambda entries: [
        MetricPoint(name, float(step * 10 + second), step, NOW + timedelta(seconds=second))
        for name, (step, second) in entries
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
names = st.text("abcdef", min_size=1, max_size=5)


@pytest.mark.property
@given(histories, st.randoms(use_true_random=False), st.integers(0, 10))
def test_the_newest_metrics_do_not_depend_on_who_stores_first(points, rng, cut):
    shuffled = rng.sample(points, len(points))
    in_two = changes.with_points(changes.with_points(RUN, shuffled[:cut]), shuffled[cut:])
    assert in_two.metrics == changes.with_points(RUN, points).metrics


@pytest.mark.property
@given(st.dictionaries(names, scalars), st.dictionaries(names, scalars))
def test_params_are_only_ever_added(first, second):
    before = changes.with_params(RUN, dict(flatten(first)))
    try:
        after = changes.with_params(before, dict(flatten(second)))
    except changes.ExperimentError:
        return
    assert {name: after.params[name] for name in before.params} == before.params
    assert changes.with_params(after, dict(flatten(second))) == after


@pytest.mark.property
@given(st.dictionaries(names, scalars | st.dictionaries(names, scalars)))
def test_every_run_survives_the_way_through_json(params):
    run = changes.with_params(RUN, dict(flatten(params)))
    again = Run.from_json(run.to_json())
    assert again == run
    assert [type(value) for value in again.params.values()] == [type(value) for value in run.params.values()]
