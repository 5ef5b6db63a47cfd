"""A model of a feature service, from its definitions to the predict API; `make prove` walks it."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mlops
from local.stack import STACK_NAME, DeployedStack, wait
from mlops.infrastructure.clock import utc_now
from tests.e2e.approvals import operating, run_mlops
from tests.e2e.walks import A_QUICK_MODEL, Walk, a_regression_table, score, train_and_decide

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif("PROOFS" not in os.environ, reason="long: `make prove` runs it"),
]

GROUP = "estates"
DEFINITIONS = """
[[entity]]
name = "house"
join_keys = ["house_id"]
value_type = "Int64"
[[feature_view]]
name = "surveys"
entities = ["house"]
schema = {size_m2 = "Float64", place = "String"}
source = {timestamp_field = "surveyed_at"}
[[on_demand_feature_view]]
name = "rooms"
sources = ["surveys"]
request = {n_rooms = "Int64"}
schema = {m2_of_a_room = "Float64"}
code = \"\"\"
def rooms(row):
    return {"m2_of_a_room": None if row["size_m2"] is None else row["size_m2"] / row["n_rooms"]}
\"\"\"
[[feature_service]]
name = "estates_v1"
features = ["surveys", "rooms"]
"""
SETTINGS = """id_columns = ["house_id"]
[features]
service = "estates_v1"
time_column = "sold_at"
[output]
keep_columns = ["*"]
"""
EARLY, SALE, LATE = "2026-01-05T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"


@dataclass(frozen=True)
class Champion:
    """A champion that learned from the service, and the rows that it can score."""

    walk: Walk
    houses: pd.DataFrame


@pytest.fixture(scope="module")
def champion(stack: DeployedStack, tmp_path_factory: pytest.TempPathFactory) -> Champion:
    """Definitions are applied, values dropped and copied, and a model is trained by ids and approved."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "features.toml").write_text(DEFINITIONS, encoding="utf-8")
    run_mlops(stack, "features", "apply", str(folder / "features.toml"))
    table = a_regression_table(seed=51)
    # sizes of after the sale are 1.6 times those before: a training that reads them learns another price
    values = pd.concat(
        [
            table[["house_id", "size_m2", "place"]].assign(surveyed_at=EARLY),
            table[["house_id", "size_m2", "place"]].assign(surveyed_at=LATE, size_m2=1.6 * table["size_m2"]),
        ]
    )
    values.to_csv(folder / "surveys.csv", index=False)
    run_mlops(stack, "features", "ingest", "surveys", str(folder / "surveys.csv"))
    stack.wait_for_email(lambda m: m["subject"] == "[_features] surveys.csv: values stored", "stored values")
    stack.run_scheduled("MaterializeFeatures", utc_now())
    sold = pd.date_range(SALE, periods=len(table), freq="h").strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = table[["house_id", "price"]].assign(sold_at=sold, n_rooms=4)
    walk = train_and_decide(stack, GROUP, rows, A_QUICK_MODEL + SETTINGS, "approved")
    return Champion(walk, table)


@pytest.fixture(scope="module")
def predictions(stack: DeployedStack, champion: Champion) -> list[dict[str, str]]:
    """The predictions for a file with ids and the value of the request."""
    rows = champion.houses[["house_id"]].head(150).assign(n_rooms=5)
    batch = score(stack, GROUP, "ids.csv", rows.to_csv(index=False).encode())
    key = batch.output["predictions_uri"].partition("//")[2].partition("/")[2]
    return list(csv.DictReader(StringIO(stack.read(key).decode())))


def test_training_reads_the_values_of_before_the_sale(stack: DeployedStack, champion: Champion) -> None:
    assert "estates_v1" in run_mlops(stack, "show", GROUP, champion.walk.version, "--json")
    keys = stack.keys(f"converted/{GROUP}/")
    dataset = next(key for key in keys if key.endswith("/features/converted.csv"))
    joined = pd.read_csv(StringIO(stack.read(dataset).decode()))
    pd.testing.assert_series_equal(joined["size_m2"], champion.houses["size_m2"])
    pd.testing.assert_series_equal(joined["m2_of_a_room"], joined["size_m2"] / 4, check_names=False)


def test_a_file_with_ids_is_scored_with_the_newest_values(
    champion: Champion, predictions: list[dict[str, str]]
) -> None:
    sizes = (champion.houses["size_m2"] * 1.6).head(150)
    read = pd.Series([float(row["size_m2"] or "nan") for row in predictions], name="size_m2")
    pd.testing.assert_series_equal(read, sizes)
    assert {row["row_status"] for row in predictions} == {"scored"}
    rooms = [float(row["m2_of_a_room"]) for row in predictions if row["m2_of_a_room"]]
    assert rooms == pytest.approx(list(sizes.dropna() / 5))


def test_the_predict_api_gives_the_predictions_of_the_file(
    stack: DeployedStack, champion: Champion, predictions: list[dict[str, str]]
) -> None:
    ids = [{"house_id": int(row["house_id"]), "n_rooms": 5} for row in predictions[:20]]
    with operating(stack):
        answer = mlops.connect(STACK_NAME).group(GROUP).predict(pd.DataFrame(ids))
    assert list(answer["prediction"]) == pytest.approx([float(row["prediction"]) for row in predictions[:20]])


def test_the_view_names_the_models_that_learned_from_it(stack: DeployedStack, champion: Champion) -> None:
    shown: dict[str, Any] = json.loads(run_mlops(stack, "features", "show", "surveys", "--json"))
    (trained,) = shown["trained_versions"]
    assert (trained["group"], trained["version"]) == (GROUP, champion.walk.version)
    assert (trained["service"], trained["service_version"]) == ("estates_v1", 1)


def test_the_nightly_check_compares_features_with_the_training(
    stack: DeployedStack, predictions: list[dict[str, str]]
) -> None:
    prefix = f"ledger/model_group={GROUP}/"
    wait(lambda: stack.keys(prefix) or None, "the batch in the ledger", 90)
    checked = stack.run_scheduled("CheckDrift", utc_now())
    (group,) = [each for each in checked["groups"] if each["group"] == GROUP]
    assert group["verdict"] == "ALERT", group  # sizes are 1.6 times those of the training
    key = next(key for key in stack.keys(f"drift/{GROUP}/") if key.endswith("drift_report.json"))
    report = json.loads(stack.read(key))
    assert "size_m2" in report["features_with_drift"]
    assert "The view surveys has 800 rows" in report["feature_views"][0]


def test_athena_reads_what_duckdb_reads(stack: DeployedStack, champion: Champion, tmp_path: Path) -> None:
    rows = champion.houses[["house_id"]].assign(event_timestamp=SALE, n_rooms=4)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    words = ("features", "history", "estates_v1", str(tmp_path / "rows.csv"), "--json")
    assert run_mlops(stack, *words, "--engine", "athena") == run_mlops(stack, *words)
