"""Which models were trained with a view."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from mlops.feature_store.definitions import (
    FeatureService,
    Field,
    RequestSource,
    ValueType,
    on_demand_feature_view,
)
from mlops.feature_store.registry.lineage import versions_trained_with
from mlops.feature_store.store import FeatureStore
from mlops.models.registry import Status
from mlops.models.settings.columns import FeatureSettings
from tests.unit.feature_store.conftest import a_view

VITALS, LABS = a_view("vitals", bmi=ValueType.FLOAT64), a_view("labs", ldl=ValueType.FLOAT64)


@on_demand_feature_view(
    sources=[VITALS[["bmi"]], RequestSource([Field("height", ValueType.FLOAT64)])],
    schema=[Field("mass", ValueType.FLOAT64)],
)
def body(row):
    return {"mass": row["bmi"] * row["height"] ** 2}


class Registry:
    """Groups with versions, each trained with some settings of features."""

    def __init__(self, **groups: list[FeatureSettings]) -> None:
        self._groups = groups

    def groups(self) -> list[str]:
        return list(self._groups)

    def list_models(self, group: str) -> list[SimpleNamespace]:
        return [
            SimpleNamespace(
                version=f"v1.0.{number}", status=Status.ARCHIVED, settings=SimpleNamespace(features=features)
            )
            for number, features in enumerate(self._groups[group])
        ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vitals", [("adherence", "v1.0.1"), ("falls", "v1.0.0")]),  # falls reads it through a function
        ("labs", [("adherence", "v1.0.2")]),
        ("body", [("falls", "v1.0.0")]),
        ("risk_v1", [("adherence", "v1.0.1"), ("adherence", "v1.0.2")]),
        ("elsewhere", [("falls", "v1.0.1")]),
    ],
)
def test_versions_are_found_by_the_views_of_their_version_of_the_service(
    store: FeatureStore, tmp_path: Path, name: str, expected: list[tuple[str, str]]
) -> None:
    store.apply([VITALS, LABS, body, FeatureService("risk_v1", [VITALS]), FeatureService("body_v1", [body])])
    store.apply([LABS, FeatureService("risk_v1", [LABS])])
    registry = Registry(
        adherence=[FeatureSettings(), FeatureSettings("risk_v1", 1), FeatureSettings("risk_v1", 2)],
        falls=[FeatureSettings("body_v1", 1), FeatureSettings("elsewhere", 7)],
    )
    found = versions_trained_with(name, store.definitions(), registry)  # type: ignore[arg-type]
    assert [(each.group, each.version) for each in found] == expected
