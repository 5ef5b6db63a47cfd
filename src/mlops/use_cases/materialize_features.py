"""The nightly materialization: new values of all views are copied, and stale views are counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from mlops.feature_store.definitions.views import FeatureView
from mlops.feature_store.online.materialization import Materialization, copy_each, refuse_faults
from mlops.feature_store.store import FeatureStore
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.metric_names import FEATURE_MATERIALIZATIONS_COMPLETED, FEATURE_VIEWS_STALE
from mlops.infrastructure.notifications import Notifier
from mlops.models.record import Record


@dataclass(frozen=True, slots=True)
class ViewOutcome(Record):
    """What was done for a view: how many entities have newer values online; `latest` is the newest time."""

    view: str
    n_rows: int
    n_written: int
    latest: datetime | None
    is_stale: bool


def materialize_features(store: FeatureStore, notifier: Notifier, end: datetime) -> list[ViewOutcome]:
    """Copy what was not copied yet, for each view for itself, and publish how many views are stale.

    Raises
    ------
    FeatureStoreError
        If a view could not be copied, or not wholly, after all others were.
    """
    views = store.definitions().views()
    copy = partial(store.materializer.materialize_incremental, end=end, views=views, now=end)
    done, faults = copy_each([view for view in views if view.online], copy)
    outcomes = [_outcome(store, view, done.get(view.name), end) for view in views]
    metrics = [Metric(FEATURE_VIEWS_STALE, sum(outcome.is_stale for outcome in outcomes))]
    if not faults:
        metrics.append(Metric(FEATURE_MATERIALIZATIONS_COMPLETED, 1))
    notifier.publish_metrics(metrics, group=None)
    refuse_faults(faults)
    return outcomes


def _outcome(
    store: FeatureStore, view: FeatureView, done: Materialization | None, end: datetime
) -> ViewOutcome:
    state, n_written = store.offline.states.get(view.name), done.n_written if done else 0
    return ViewOutcome(view.name, state.n_rows, n_written, state.latest, state.is_stale(view, end))
