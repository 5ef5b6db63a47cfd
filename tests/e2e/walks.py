"""Walks through the deployed application: drop a file, wait, decide."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from local.stack import DeployedStack, version_in
from tests.conftest import REPOSITORY

EXAMPLE = REPOSITORY / "examples" / "medication-adherence"


GROUP = "medication-adherence"


@dataclass(frozen=True)
class Walk:
    """One execution that has ended."""

    arn: str
    states: list[str]
    status: str
    output: dict
    version: str = ""


# for walks that look at something else than the choice of an algorithm
A_QUICK_MODEL = 'target = "price"\nalgorithm = "Ridge"\n'

# more than 1,000 nodes a tree, so the model has no compiled form
A_LARGE_FOREST = (
    'target = "price"\nalgorithm = "RandomForest"\n[hyperparameters]\n'
    "n_estimators = 8\nmax_depth = 30\nmin_samples_leaf = 1\n"
)

# few enough for the rows as a whole, so validation accepts it; the library refuses it for a fit without the
# rows of the largest group
MORE_ROWS_THAN_A_FOLD_HAS = (
    'target = "price"\nalgorithm = "HistGradientBoosting"\ngroup_columns = ["estate"]\n'
    "[hyperparameters]\nearly_stopping = true\nvalidation_fraction = 100\n"
)


def a_table_of_uneven_groups(seed: int = 3) -> pd.DataFrame:
    """Return the houses of `a_regression_table`, nine of ten in one estate, with a price of two classes."""
    table = a_regression_table(seed=seed)
    estates = ["old"] * 360 + ["new"] * 20 + ["far"] * 20
    return table.assign(
        price=np.where(table["price"] > table["price"].median(), "dear", "cheap"), estate=estates
    )


def start_training(
    stack: DeployedStack, group: str, table: pd.DataFrame | bytes, toml: str, name: str = "train.csv"
) -> str:
    """Drop settings and a training file; return the execution they start."""
    existing = stack.executions("TrainModel")
    content = table if isinstance(table, bytes) else table.to_csv(index=False).encode()
    stack.drop(toml.encode(), f"{group}/model.toml")
    stack.drop(content, f"{group}/training/{name}")
    return stack.wait_for_execution("TrainModel", existing)


def train_and_decide(
    stack: DeployedStack,
    group: str,
    table: pd.DataFrame | bytes,
    toml: str,
    decision: str,
    reason: str = "Looks right.",
    name: str = "train.csv",
) -> Walk:
    """Train, answer on the approval page, and wait for the end."""
    newest = stack.cloud.newest_email_id()
    execution = start_training(stack, group, table, toml, name)
    mail, link = stack.wait_for_approval_link(group, after=newest)
    version = version_in(mail["subject"])
    answer = stack.decide(link, version, decision, reason)
    assert answer.status in (200, 303), answer.text
    return walk(stack, execution, version)


def score(stack: DeployedStack, group: str, name: str, content: bytes) -> Walk:
    """Drop a scoring file and wait for the end of its execution."""
    existing = stack.executions("RunInference")
    stack.drop(content, f"{group}/inference/{name}")
    return walk(stack, stack.wait_for_execution("RunInference", existing))


def walk(stack: DeployedStack, execution: str, version: str = "") -> Walk:
    """Wait for the end of an execution."""
    states = stack.finish(execution)
    message = stack.cloud.client("stepfunctions").describe_execution(executionArn=execution)
    assert message["status"] == "SUCCEEDED", message.get("cause")
    return Walk(execution, states, message["status"], json.loads(message.get("output") or "{}"), version)


def as_parquet(table: pd.DataFrame, path: Path) -> bytes:
    """Return a table as a Parquet file, written at `path`."""
    duckdb.from_df(table).write_parquet(str(path))
    return path.read_bytes()


def as_workbook(table: pd.DataFrame) -> bytes:
    """Return a table as an Excel workbook."""
    content = BytesIO()
    table.to_excel(content, index=False, engine="xlsxwriter")
    return content.getvalue()


def a_regression_table(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Houses whose price follows their size and place, with some values missing."""
    rng = np.random.default_rng(seed)
    size = rng.normal(100, 25, rows).round(1)
    place = rng.choice(["north", "south", "centre"], rows)
    price = 2.0 * size + 40 * (place == "centre") + rng.normal(0, 8, rows)
    table = pd.DataFrame(
        {"house_id": np.arange(rows) + 10_000, "size_m2": size, "place": place, "price": price}
    )
    table.loc[rng.choice(rows, 20, replace=False), "size_m2"] = np.nan
    return table
