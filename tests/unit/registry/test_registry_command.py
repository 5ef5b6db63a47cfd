"""The command line of the registry, on a registry in files."""

from __future__ import annotations

import argparse
import json

import pytest

from mlops.errors import RegistryError
from mlops.models.registry import Artifact
from mlops.models.training import EvaluationMetrics
from mlops.registry.candidate import Candidate
from mlops.registry.command import add_parser
from mlops.registry.model_registry import ModelRegistry


@pytest.fixture
def run(tmp_path, capsys):
    registry = ModelRegistry(root=tmp_path, actor="ada")
    metrics = EvaluationMetrics(roc_auc=0.7, primary="roc_auc")
    for dataset in ("d1", "d2"):
        registry.register(
            "g", Candidate("RandomForest", {}, metrics, dataset, Artifact("s3://b/k", "0" * 64))
        )

    def run(*arguments: str) -> str:
        parser = argparse.ArgumentParser()
        add_parser(parser.add_subparsers())
        parsed = parser.parse_args(["registry", *arguments, "--root", str(tmp_path)])
        assert parsed.run(parsed) == 0
        return capsys.readouterr().out

    run.registry = registry
    return run


def test_groups_and_versions_are_listed(run):
    assert run("groups") == "g\n"
    assert "v1.0.1   Registered" in run("versions", "g")
    assert [model["version"] for model in json.loads(run("versions", "g", "--json"))] == ["v1.0.0", "v1.0.1"]


def test_a_version_is_shown_and_compared(run):
    assert "0000000000" in run("show", "g", "v1.0.0")
    assert "dataset  d1      d2" in run("compare", "g", "v1.0.0", "v1.0.1")


def test_decisions_stand_in_the_audit_with_who_and_why(run):
    run("approve", "g", "v1.0.0", "--reason", "good", "--by", "bob")
    assert "v1.0.0 is in service." in run("promote", "g", "v1.0.0", "--reason", "go")
    run("approve", "g", "v1.0.1", "--reason", "better")
    assert "v1.0.1 is in service in place of v1.0.0." in run("promote", "g", "v1.0.1", "--reason", "go")
    assert "v1.0.0 is in service in place of v1.0.1." in run("rollback", "g", "--reason", "alarm")
    audit = run("audit", "g")
    assert "approve       by bob" in audit
    assert json.loads(run("audit", "g", "--json"))[-1]["reason"] == "alarm"


def test_a_version_that_waits_for_its_approvers_is_left_to_them(run):
    run.registry.request_approval("g", "v1.0.0", "0" * 64)
    with pytest.raises(RegistryError, match="decide through the link"):
        run("reject", "g", "v1.0.0", "--reason", "no")


def test_an_unknown_group_is_one_sentence(run):
    with pytest.raises(RegistryError, match="has no version"):
        run("versions", "nobody")
