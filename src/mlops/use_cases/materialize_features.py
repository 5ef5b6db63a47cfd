"""The nightly materialization: new values of all views are copied, and stale views are counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mlops.feature_store.definitions.views import FeatureView
from mlops.feature_store.store import FeatureStore
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.metric_names import FEATURE_MATERIALIZATIONS_COMPLETED, FEATURE_VIEWS_STALE
from mlops.infrastructure.notifications import Notifier
from mlops.models.errors import FeatureStoreError
from mlops.models.record import Record


@dataclass(frozen=True, slots=True)
class ViewOutcome(Record):
    """What was done for a view: how many entities have newer values online; `latest` is the newest time."""

    view: str
    n_rows: int
    n_written: int
    latest: datetime | None
    is_stale: bool
    error: str = ""


def materialize_features(store: FeatureStore, notifier: Notifier, end: datetime) -> list[ViewOutcome]:
    """Copy what was not copied yet, for each view for itself, and publish how many views are stale.

    Raises
    ------
    FeatureStoreError
        If a view could not be copied, after all others were.
    """
    views = store.definitions().views()
    outcomes = [_materialize(store, view, views, end) for view in views]
    n_stale = sum(outcome.is_stale for outcome in outcomes)
    failed = [outcome for outcome in outcomes if outcome.error]
    metrics = [Metric(FEATURE_VIEWS_STALE, n_stale)]
    if not failed:
        metrics.append(Metric(FEATURE_MATERIALIZATIONS_COMPLETED, 1))
    notifier.publish_metrics(metrics, group=None)
    if failed:
        reasons = "; ".join(f"{outcome.view}: {outcome.error}" for outcome in failed)
        raise FeatureStoreError(f"Views were not copied into the online store: {reasons}")
    return outcomes


def _materialize(
    store: FeatureStore, view: FeatureView, views: Sequence[FeatureView], end: datetime
) -> ViewOutcome:
    state = store.offline.states.get(view.name)
    n_written, error = 0, ""
    if view.online:
        try:
            n_written = store.materializer.materialize_incremental(view, end, views=views, now=end).n_written
        except Exception as fault:  # noqa: BLE001  the other views are copied before it is raised
            error = f"{type(fault).__name__}: {fault}"
    return ViewOutcome(view.name, state.n_rows, n_written, state.latest, state.is_stale(view, end), error)
