"""The page, the Glue table and the code name the same columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.ledger.columns import PREDICTIONS, TableLayout
from mlops.ledger.label_columns import LABELS
from mlops.ledger.reference import render_reference
from tests.infrastructure import template as t


def test_the_page_of_the_ledger_is_current(repository: Path) -> None:
    page = (repository / "docs" / "reference" / "ledger.md").read_text("utf-8")
    assert page == render_reference(), "run python -m mlops.ledger.reference > docs/reference/ledger.md"


each_table = pytest.mark.parametrize(
    ("name", "layout", "day"),
    [("LedgerTable", PREDICTIONS, "batch_date"), ("LabelTable", LABELS, "label_date")],
)


@each_table
def test_the_glue_table_has_the_columns_and_partitions_of_the_code(
    name: str, layout: TableLayout, day: str
) -> None:
    declared = t.resources("AWS::Glue::Table")[name]["Properties"]["TableInput"]
    columns = [(column["Name"], column["Type"]) for column in declared["StorageDescriptor"]["Columns"]]
    keys = [(column["Name"], column["Type"]) for column in declared["PartitionKeys"]]
    assert columns == [(column.name, column.glue_type) for column in layout.columns]
    assert keys == [(column.name, column.glue_type) for column in layout.partitions]
    assert keys[-1][0] == day


@each_table
def test_partitions_are_projected_so_that_none_has_to_be_added(
    name: str, layout: TableLayout, day: str
) -> None:
    parameters = t.resources("AWS::Glue::Table")[name]["Properties"]["TableInput"]["Parameters"]
    assert parameters["projection.enabled"] == "true"
    kinds = {column.name: parameters[f"projection.{column.name}.type"] for column in layout.partitions}
    assert kinds == {"model_group": "injected", day: "date"}
    folder = "ledger" if layout is PREDICTIONS else "labels"
    assert parameters["storage.location.template"] == {
        "Fn::Sub": f"s3://${{ArtifactBucket}}/{folder}/model_group=${{!model_group}}/{day}=${{!{day}}}/"
    }
