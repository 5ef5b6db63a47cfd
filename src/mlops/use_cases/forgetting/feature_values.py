"""The values of persons in the feature store, for all views with the column of their id as a key.

All groups share the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.feature_store.definitions.views import FeatureView
from mlops.feature_store.forgetting import ViewValues
from mlops.feature_store.store import FeatureStore
from mlops.infrastructure.upload_events import FEATURES_FOLDER, Upload
from mlops.models.settings.group import GroupSettings
from mlops.use_cases.forgetting.ids import ForgottenIds
from mlops.use_cases.forgetting.personal_data import Action, Removal, TableObjects


@dataclass(frozen=True, slots=True)
class FeatureValues:
    """The stored values of features, and the newest ones in the online store."""

    features: FeatureStore

    def remove(self, ids: ForgottenIds, *, is_final: bool) -> Iterator[Removal]:
        """Yield what is removed from each file, and from the online store for each view."""
        counted: set[tuple[str, str]] = set()  # an item has the values of several files and views
        for view in _views_of(ids, self.features):
            n_before = len(counted)
            values = ViewValues(
                view, ids.column, ids.contains, self.features.offline, self.features.online_table
            )
            for removed in values.remove(is_final=is_final):
                action: Action = "rewritten" if removed.is_rewritten else "deleted"
                ref = removed.ref
                counted |= removed.items
                yield Removal("features", ref.uri, ref.version_id, action, removed.n_rows)
            if n_items := len(counted) - n_before:
                yield Removal("online features", f"online/{view.name}", None, "deleted", n_items)


@dataclass(frozen=True, slots=True)
class FeatureUploads:
    """The dropped files of features, and those of them that were refused.

    `uploads` and `quarantine` are the same places for the files of a group.
    """

    features: FeatureStore
    uploads: TableObjects
    quarantine: TableObjects
    versions: DatasetVersions

    def remove(self, ids: ForgottenIds, *, is_final: bool) -> Iterator[Removal]:
        """Yield what is removed from each file of a view with the column."""
        names = [view.name for view in _views_of(ids, self.features)]
        for name in names:
            dropped = _of_features(self.uploads, "uploads of features", f"{FEATURES_FOLDER}/{name}/")
            yield from dropped.remove(ids, is_final=is_final)
        refused = _of_features(self.quarantine, "refused features", f"quarantine/{FEATURES_FOLDER}/")
        of_views = replace(
            refused, is_table=lambda key: refused.is_table(key) and self._view_of(key) in (None, *names)
        )
        yield from of_views.remove(ids, is_final=is_final)

    def _view_of(self, key: str) -> str | None:
        """Return the view that a file in quarantine was dropped for; None where that is not known."""
        record = self.versions.find_upload(FEATURES_FOLDER, key.split("/")[2])
        return Upload("", record.key, record.version_id, 0).view if record is not None else None


def _views_of(ids: ForgottenIds, features: FeatureStore) -> list[FeatureView]:
    return [view for view in features.definitions().views() if ids.column in view.key_names]


def _of_features(objects: TableObjects, name: str, prefix: str) -> TableObjects:
    """Return the same store for another prefix: `model.toml` of a group is not about these files."""
    return replace(objects, name=name, prefix=prefix, settings=GroupSettings(), contract=None)
