"""Champions that other versions of the libraries could not load are named before they stop."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from deployment.account import Account, Deployed
from deployment.champions import check_champions
from deployment.errors import DeploymentError
from deployment.template import read_template
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.models.objects import ObjectRef
from mlops.models.registry import ModelMetadata
from mlops.pipelines.artifact_files import COMPILED
from mlops.pipelines.artifacts.compatibility import RULES
from mlops.registry.model_registry import ModelRegistry
from mlops.use_cases.champion_versions import stopped_champions
from tests.conftest import REPOSITORY
from tests.contract.test_registry_stores import a_candidate

NOW = {"python": "3.12", "numpy": "2.5.1", "scikit-learn": "1.9.0"}


def a_champion(table: str, group: str, versions: Mapping[str, str]) -> None:
    registry = ModelRegistry(use_dynamodb=True, table_name=table, actor="ada")
    registry.register(group, a_candidate(library_versions=versions))
    registry.approve_model(group, "v1.0.0", reason="fine")
    registry.promote_model(group, "v1.0.0", reason="fine")


@pytest.fixture
def table(registry_table: str) -> str:
    """A registry with a champion of an older scikit-learn, and one that fits."""
    client("s3").create_bucket(Bucket="artifacts")
    a_champion(registry_table, "older", {"python": "3.12.1", "scikit-learn": "1.8.2"})
    a_champion(registry_table, "fits", {"python": "3.12.9", "scikit-learn": "1.9.3", "numpy": "2.4.0"})
    return registry_table


def test_only_what_could_not_be_loaded_is_named(table: str) -> None:
    registry = ModelRegistry(use_dynamodb=True, table_name=table)
    (stopped,) = stopped_champions(registry, S3Objects(), NOW)
    assert (stopped.group, stopped.version) == ("older", "v1.0.0")
    assert stopped.problem == "scikit-learn 1.8.2 (installed: 1.9.0; needed: 1.8.x)"
    assert list(stopped_champions(registry, S3Objects(), {**NOW, "scikit-learn": "1.8.0"})) != [stopped]


class OneChampion(ModelRegistry):
    """A registry whose only champion has its evidence in a bucket."""

    def groups(self) -> list[str]:
        return ["older"]

    def champion(self, group: str) -> ModelMetadata | None:
        model = super().champion(group)
        return model and replace(model, evidence_uri="s3://artifacts/models/older/v1.0.0")


def test_a_compiled_model_goes_on(table: str) -> None:
    registry = OneChampion(use_dynamodb=True, table_name=table)
    place = ObjectRef("artifacts", "models/older/v1.0.0/manifest.json")
    assert len(list(stopped_champions(registry, S3Objects(), NOW))) == 1  # without a manifest
    for name, n_stopped in (("model.skops", 1), (COMPILED, 0)):
        S3Objects().write(place, json.dumps({"files": {name: "0" * 64}}).encode(), "")
        assert len(list(stopped_champions(registry, S3Objects(), NOW))) == n_stopped


def test_an_upgrade_that_would_stop_a_champion_is_refused(table: str) -> None:
    account = Account(boto3.Session(region_name="us-east-1"))
    outputs = {"RegistryTableName": table, "ArtifactBucketName": "artifacts"}
    with pytest.raises(DeploymentError, match=r"would stop scoring: older v1.0.0 .*STOP_CHAMPIONS=yes"):
        check_champions(account, Deployed({}, {}, outputs), NOW)
    check_champions(account, None, NOW)


def test_what_cannot_be_read_is_said_and_does_not_stop_a_deployment(
    aws: None, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Account(boto3.Session(region_name="us-east-1"))
    outputs = {"RegistryTableName": "not-there", "ArtifactBucketName": "artifacts"}
    check_champions(account, Deployed({}, {}, outputs), NOW)
    assert "was not checked" in capsys.readouterr().err


def test_the_template_says_what_is_in_the_layers() -> None:
    pinned = dict(
        line.split("==")
        for name in ("dataframe", "sklearn", "xgboost")
        for line in (REPOSITORY / "layers" / name / "requirements.txt").read_text("utf-8").splitlines()
        if "==" in line
    )
    pinned["xgboost"] = pinned["xgboost-cpu"]
    said = dict(read_template(Path(REPOSITORY / "template.yaml")).libraries)
    assert said.pop("python") == "3.12"
    assert said == {name: pinned[name] for name in RULES if name != "python"}
