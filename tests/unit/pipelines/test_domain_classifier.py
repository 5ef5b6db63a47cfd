"""The multivariate check: changed combinations are found, chance is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlops.models.errors import DriftError
from mlops.pipelines.scoring.domain_classifier import classify_domains

FEATURES = ["weight", "dose", "site"]


def people(rows: int, seed: int, *, goes_with_weight: bool = True) -> pd.DataFrame:
    """Doses that go with the weight, or the same doses in another order."""
    rng = np.random.default_rng(seed)
    weight = rng.normal(80, 14, rows)
    dose = weight / 10 + rng.normal(0, 0.5, rows)
    return pd.DataFrame(
        {
            "weight": weight,
            "dose": dose if goes_with_weight else rng.permutation(dose),
            "site": rng.choice(["north", "south", None], rows),
        }
    )


def test_the_same_population_cannot_be_told_apart():
    classifications = [
        classify_domains(people(200, seed), people(200, 50 + seed), FEATURES, rng=np.random.default_rng(seed))
        for seed in range(10)
    ]
    assert sum(each.has_change for each in classifications) <= 1


def test_a_changed_combination_is_found_and_its_columns_are_named():
    classification = classify_domains(
        people(1000, 1), people(800, 2, goes_with_weight=False), FEATURES, rng=np.random.default_rng(0)
    )
    assert classification.roc_auc > 0.75
    assert classification.has_change
    assert set(list(classification.effects)[:2]) == {"weight", "dose"}
    assert (classification.n_rows_reference, classification.n_rows) == (1000, 800)


def test_a_changed_category_is_found():
    now = people(600, 3).assign(site="south")
    classification = classify_domains(people(600, 4), now, FEATURES, rng=np.random.default_rng(0))
    assert next(iter(classification.effects)) == "site"


def test_too_few_rows_and_no_common_feature_are_refused():
    with pytest.raises(DriftError, match="99 rows"):
        classify_domains(people(99, 1), people(200, 2), FEATURES, rng=np.random.default_rng(0))
    with pytest.raises(DriftError, match="no feature in common"):
        classify_domains(people(200, 1), people(200, 2), ["age"], rng=np.random.default_rng(0))
