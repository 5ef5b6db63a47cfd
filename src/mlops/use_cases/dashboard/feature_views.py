"""The table of feature views: how new their values are, and which champions learned from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mlops.feature_store.offline.state import ViewState
from mlops.feature_store.registry.lineage import names_read_by
from mlops.models.registry import ModelMetadata
from mlops.use_cases.dashboard.sources import DashboardSources


@dataclass(frozen=True, slots=True)
class ViewRow:
    """One view as the table shows it.

    Parameters
    ----------
    is_stale
        Whether the newest value is older than the view allows.
    copied_until
        Until when values are in the online store; None before the first copy.
    champions
        Those that learned from the view.
    """

    view: str
    version: int
    values: ViewState
    is_stale: bool
    copied_until: datetime | None
    champions: Sequence[ModelMetadata]


def read_feature_views(sources: DashboardSources) -> list[ViewRow]:
    """Return the rows, stale views first."""
    definitions, now = sources.views.definitions.read(), sources.now()
    views = definitions.views()
    if not views:
        return []
    champions = [each for each in sources.for_each_group(sources.registry.champion) if each]
    read_by = [(each, names_read_by(each.settings.features, definitions)) for each in champions]
    rows = []
    for view in views:
        values, progress = sources.views.values.get(view.name), sources.views.values.progress(view.name)
        using = [model for model, names in read_by if view.name in names]
        version = definitions.find(view.name).version
        is_stale, until = values.is_stale(view, now), progress.end if progress else None
        rows.append(ViewRow(view.name, version, values, is_stale, until, using))
    return sorted(rows, key=lambda row: (not row.is_stale, row.view))
