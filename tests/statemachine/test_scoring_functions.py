"""Which function scores a model: a compiled one needs no scikit-learn."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infrastructure.template import REPOSITORY
from tests.statemachine.definition import Definition
from tests.statemachine.walker import Walk

FORMS: list[tuple[dict[str, Any], str]] = [
    ({"version": "v1.0.0", "is_compiled": True}, "Compiled"),
    ({"version": "v1.0.0", "is_compiled": False}, ""),
    ({"version": "v1.0.0"}, ""),  # of a release before 0.3
]
LISTED = {"n_ranges": 1, "request": {}, "ranges": {"bucket": "b", "key": "k"}}


def called(engine: str, model: dict[str, Any]) -> list[str]:
    """The functions that an execution calls, in order."""
    functions: list[str] = []

    def task(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
        functions.append(arguments["FunctionName"].strip("${}").removesuffix("FunctionArn"))
        return {"Payload": LISTED}

    definition = Definition.load(REPOSITORY / "statemachine" / "run_inference.asl.json")
    request = {"group": "g", "batch_id": "b", "model": model, "upload": {"size_bytes": 1}}
    walk = Walk(definition, task, read_items=lambda arguments: [{"index": 0}])
    assert walk.go(request | {"settings": {"scoring": {"engine": engine}}}) == "Predictions ready"
    return functions


@pytest.mark.parametrize(("model", "suffix"), FORMS)
def test_one_function_scores_by_the_form_of_the_model(model: dict[str, Any], suffix: str) -> None:
    assert called("lambda", model) == [f"RunInference{suffix}"]


@pytest.mark.parametrize(("model", "suffix"), FORMS)
def test_ranges_are_scored_by_the_form_of_the_model(model: dict[str, Any], suffix: str) -> None:
    assert called("map", model) == ["ListRanges", f"ScoreRange{suffix}", "MergeRanges"]
