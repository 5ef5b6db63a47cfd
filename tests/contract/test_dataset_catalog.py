"""Datasets by name, and what changed between two of them: over files, and over S3 and DynamoDB."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlops.cli.main import main
from mlops.dataset.catalog.catalog import DatasetCatalog
from mlops.dataset.catalog.local import local_versions
from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.models.dataset import DatasetVersion
from mlops.models.errors import DatasetError
from mlops.models.objects import Artifact
from mlops.models.registry import ModelMetadata, Status
from mlops.models.settings.group import GroupSettings
from mlops.models.training import EvaluationMetrics
from mlops.use_cases.compare_datasets import DatasetComparison, compare_datasets

NOW = datetime(2026, 10, 5, 8, tzinfo=UTC)


@dataclass
class Models:
    """A registry that holds what a test puts into it."""

    models: list[ModelMetadata] = field(default_factory=list)

    def champion(self, group: str) -> ModelMetadata | None:
        return self.models[-1] if self.models else None

    def list_models(self, group: str) -> list[ModelMetadata]:
        return self.models


@pytest.fixture(params=["aws", "files"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> DatasetCatalog:
    if request.param == "files":
        versions = local_versions(tmp_path / "records")
        return DatasetCatalog(versions, FilesystemObjects(tmp_path / "objects"), Models())
    table = request.getfixturevalue("registry_table")
    client("s3").create_bucket(Bucket="artifacts")
    client("s3").put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
    return DatasetCatalog(DatasetVersions(DynamoDBTable(table)), S3Objects(), Models())


def changed(catalog: DatasetCatalog, before: str, after: str = "latest") -> DatasetComparison:
    return compare_datasets(catalog.find("g", before), catalog.find("g", after), catalog.objects)


def a_file(folder: Path, name: str, *, rows: int = 600, older_by: int = 0, plan: bool = True) -> Path:
    path = folder / name
    lines = ["patient_id,age,plan,adherent" if plan else "patient_id,age,adherent"]
    for i in range(rows):
        level = f",{'abc'[i * 7 % 3]}" if plan else ""
        lines.append(
            f"P{i},{20 + i * 37 % 60 + older_by}{level},{'yes' if (i * i + i // 3) % 5 < 3 else 'no'}"
        )
    path.write_text("\n".join(lines) + "\n")
    return path


def trained_on(dataset: DatasetVersion, version: str = "v1.0.0") -> ModelMetadata:
    return ModelMetadata(
        model_group=dataset.group,
        version=version,
        number=1,
        status=Status.CHAMPION,
        created_at=NOW,
        algorithm="RandomForest",
        hyperparameters={},
        metrics=EvaluationMetrics(),
        dataset_version=dataset.dataset_id,
        artifact=Artifact("s3://artifacts/model.tar.gz", "ab", "1"),
    )


def test_a_dataset_is_found_by_digest_by_version_and_as_the_latest(
    catalog: DatasetCatalog, tmp_path: Path
) -> None:
    first = catalog.add("g", a_file(tmp_path, "a.csv"), now=NOW)
    second = catalog.add("g", a_file(tmp_path, "b.csv", rows=700), now=NOW + timedelta(days=1))
    catalog.models.list_models("g").append(trained_on(first))  # type: ignore[attr-defined]
    assert catalog.find("g", first.dataset_id[:8]) == catalog.find("g", "v1.0.0") == first
    assert catalog.find("g", "latest") == second
    assert catalog.list_datasets("g") == (first, second)
    assert [model.version for model in catalog.models_trained_on(first)] == ["v1.0.0"]


@pytest.mark.parametrize("name", ["v9.9.9", "latest", "abcdef12", "abc"])
def test_a_name_that_nothing_has_is_an_error_that_says_where_to_look(
    catalog: DatasetCatalog, name: str
) -> None:
    with pytest.raises(DatasetError, match="see `mlops datasets list g`"):
        catalog.find("g", name)


def test_the_same_bytes_are_one_dataset(catalog: DatasetCatalog, tmp_path: Path) -> None:
    first = catalog.add("g", a_file(tmp_path, "a.csv"), now=NOW)
    assert catalog.add("g", a_file(tmp_path, "b.csv"), now=NOW + timedelta(days=1)) == first


def test_a_file_that_is_no_dataset_is_refused_with_its_reason(
    catalog: DatasetCatalog, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match=r"short\.csv cannot be a dataset of g: .*3 rows"):
        catalog.add("g", a_file(tmp_path, "short.csv", rows=3), now=NOW)


def test_what_changed_since_the_file_of_a_version_names_rows_and_drift(
    catalog: DatasetCatalog, tmp_path: Path
) -> None:
    first = catalog.add("g", a_file(tmp_path, "a.csv"), now=NOW)
    catalog.models.list_models("g").append(trained_on(first, "v1.2.0"))  # type: ignore[attr-defined]
    catalog.add("g", a_file(tmp_path, "b.csv", rows=900, older_by=12), now=NOW + timedelta(days=1))
    comparison = changed(catalog, "v1.2.0")
    assert (comparison.n_rows_before, comparison.n_rows_after) == (600, 900)
    assert comparison.drift is not None
    assert comparison.drift.features_with_drift == ("age",)
    assert "patient_id" not in comparison.drift.features
    assert "rows: 600 -> 900 (+300)" in comparison.render()
    assert type(comparison).from_json(comparison.to_json()) == comparison


def test_rows_that_were_left_out_of_a_dataset_are_left_out_of_its_comparison(
    catalog: DatasetCatalog, tmp_path: Path
) -> None:
    first = catalog.add("g", a_file(tmp_path, "a.csv"), now=NOW)
    later = a_file(tmp_path, "b.csv", rows=700)
    later.write_text(later.read_text() + "P900,31\n")
    stated = GroupSettings.from_toml("[format]\nignore_errors = true\n")
    catalog.add("g", later, now=NOW + timedelta(days=1), settings=stated)
    comparison = changed(catalog, first.dataset_id)
    assert (comparison.n_rows_after, comparison.drift is not None) == (700, True)


def test_what_changed_names_columns_that_came_went_or_are_of_another_kind(
    catalog: DatasetCatalog, tmp_path: Path
) -> None:
    later = tmp_path / "b.csv"
    lines = a_file(tmp_path, "a.csv").read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    levels = [f"{row[0]},{row[1]}.5,{'nw'[i % 2]},{row[3]}" for i, row in enumerate(rows)]
    later.write_text("\n".join(["patient_id,age,region,adherent", *levels]) + "\n")
    first = catalog.add("g", tmp_path / "a.csv", now=NOW)
    on_purpose = GroupSettings.from_toml("contract = 2\n")
    catalog.add("g", later, now=NOW + timedelta(days=1), settings=on_purpose)
    comparison = changed(catalog, first.dataset_id)
    assert (comparison.added_columns, comparison.removed_columns) == (("region",), ("plan",))
    assert comparison.changed_kinds == {"age": ("integer", "number")}
    message = comparison.render()
    assert "columns added: region" in message
    assert "columns removed: plan" in message
    assert "column age: integer -> number" in message


def test_a_dataset_has_not_drifted_from_itself(catalog: DatasetCatalog, tmp_path: Path) -> None:
    catalog.add("g", a_file(tmp_path, "a.csv"), now=NOW)
    comparison = changed(catalog, "latest", "latest")
    assert comparison.drift is not None
    assert (comparison.drift.verdict, comparison.drift.drift_score) == ("OK", 0.0)
    assert comparison.added_columns == comparison.removed_columns == ()


def test_the_command_adds_lists_shows_and_compares(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ["--root", str(tmp_path)]
    for name, rows in (("a.csv", 600), ("b.csv", 650)):
        assert main(["datasets", "add", "g", str(a_file(tmp_path, name, rows=rows)), *places]) == 0
    assert "650 rows, 4 columns  trained: no version" in capsys.readouterr().out
    assert main(["datasets", "list", "g", "--json", *places]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert main(["datasets", "show", "g", first["dataset_id"][:10], *places]) == 0
    assert "  age: integer" in capsys.readouterr().out
    names = [first["dataset_id"], second["dataset_id"]]
    assert main(["datasets", "compare", "g", *names, *places]) == 0
    assert "rows: 600 -> 650 (+50)" in capsys.readouterr().out
    assert main(["datasets", "show", "g", "v1.0.0", *places]) == 2
    assert "has no dataset 'v1.0.0'" in capsys.readouterr().err
