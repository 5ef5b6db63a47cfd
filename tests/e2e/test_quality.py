"""Outcomes that are dropped into the deployed application show how good its predictions were."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local.stack import DeployedStack
from tests.e2e.walks import GROUP, Walk

pytestmark = pytest.mark.e2e


def test_every_label_of_the_batch_is_joined_and_the_quality_is_as_approved(
    stack: DeployedStack, recorded: tuple[Walk, Walk], champion: Walk, labelled: dict
) -> None:
    n_rows = recorded[0].output["n_rows"]
    assert labelled["counts"]["n_matched"] == labelled["overall"]["n_labels"] == n_rows
    assert (labelled["model_version"], labelled["metric"]) == (champion.version, "roc_auc")
    assert labelled["verdict"] == "OK"
    assert labelled["overall"]["approved"]["value"] > 0.5
    mail = stack.wait_for_email(
        lambda m: m["subject"] == f"[{GROUP}] outcomes.csv: labels recorded", "labels"
    )
    assert f"{n_rows} labels" in mail["body"]
    page = next(key for key in stack.keys(f"quality/{GROUP}/") if key.endswith(".html"))
    assert b"The quality is as approved." in stack.read(page)


def test_the_nightly_measurement_finds_the_same(stack: DeployedStack, labelled: dict) -> None:
    answer = stack.run_scheduled("MeasureQuality", datetime.now(UTC))
    verdicts = {group["group"]: group["verdict"] for group in answer["groups"]}
    assert verdicts[GROUP] == "OK"


def test_labels_of_a_class_that_the_model_does_not_know_are_refused(
    stack: DeployedStack, champion: Walk
) -> None:
    stack.drop(b"patient_id,offtrt\n10056,perhaps\n", f"{GROUP}/labels/wrong.csv")
    mail = stack.wait_for_email(lambda m: m["subject"] == f"[{GROUP}] wrong.csv was rejected", "a refusal")
    assert "Its classes: 0, 1." in mail["body"]
    assert not any("wrong" in key for key in stack.keys("labels/"))
