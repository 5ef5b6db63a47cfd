"""The SurveyPart function over moto: one part in, its facts out."""

from __future__ import annotations

import pytest

from tests.functions.parts_stage import PartsStage


def test_the_facts_of_a_part_are_kept_and_only_its_number_is_returned(parts_stage: PartsStage) -> None:
    listed = parts_stage.call("list_parts", parts_stage.drop_folder(3))
    part = parts_stage.read_json(listed["parts"])[1]
    assert parts_stage.call("survey_part", {"request": listed["request"], "part": part}) == {"index": 1}
    (facts,) = parts_stage.keys(listed["request"]["key"].rsplit("/", 1)[0] + "/facts-1/")
    assert facts.endswith("00001.npz")


def test_a_deleted_part_is_not_an_error(parts_stage: PartsStage) -> None:
    listed = parts_stage.call("list_parts", parts_stage.drop_folder(3))
    part = parts_stage.read_json(listed["parts"])[2]
    part["ref"] |= {"key": "medication-adherence/training/2026-11/deleted.csv", "version_id": None}
    assert parts_stage.call("survey_part", {"request": listed["request"], "part": part}) == {"index": 2}
    assert parts_stage.keys(listed["request"]["key"].rsplit("/", 1)[0] + "/facts-1/") == []


def test_logs_hold_no_cell_values(parts_stage: PartsStage, caplog: pytest.LogCaptureFixture) -> None:
    decided = parts_stage.call("merge_parts", parts_stage.surveyed(n_parts=3, canary="canary"))
    assert decided["received"]["reason"] == "type_mismatch"
    assert "canary" not in repr([vars(record) for record in caplog.records])
