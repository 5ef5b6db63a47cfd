"""The page, the Glue table and the code name the same columns."""

from __future__ import annotations

from pathlib import Path

from mlops.ledger.columns import COLUMNS, PARTITIONS
from mlops.ledger.reference import render_reference
from tests.infrastructure import template as t


def test_the_page_of_the_ledger_is_current(repository: Path) -> None:
    page = (repository / "docs" / "ledger.md").read_text("utf-8")
    assert page == render_reference(), "run python -m mlops.ledger.reference > docs/ledger.md"


def test_the_glue_table_has_the_columns_and_partitions_of_the_code() -> None:
    (table,) = t.resources("AWS::Glue::Table").values()
    declared = table["Properties"]["TableInput"]
    columns = [(column["Name"], column["Type"]) for column in declared["StorageDescriptor"]["Columns"]]
    keys = [(column["Name"], column["Type"]) for column in declared["PartitionKeys"]]
    assert columns == [(column.name, column.glue_type) for column in COLUMNS]
    assert keys == [(column.name, column.glue_type) for column in PARTITIONS]


def test_partitions_are_projected_so_that_none_has_to_be_added() -> None:
    (table,) = t.resources("AWS::Glue::Table").values()
    parameters = table["Properties"]["TableInput"]["Parameters"]
    assert parameters["projection.enabled"] == "true"
    kinds = {column.name: parameters[f"projection.{column.name}.type"] for column in PARTITIONS}
    assert kinds == {"model_group": "injected", "batch_date": "date"}
    assert parameters["storage.location.template"] == {
        "Fn::Sub": "s3://${ArtifactBucket}/ledger/model_group=${!model_group}/batch_date=${!batch_date}/"
    }
