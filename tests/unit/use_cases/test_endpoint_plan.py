"""Laws of the plan: from whatever exists in SageMaker, the endpoint comes to serve the champion."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from mlops.models.objects import Artifact
from mlops.use_cases.endpoints.plan import Hosting, Plan, ServedVersion, endpoint_name, plan_endpoint

PREFIX, GROUP = "mlops-0a1b2c3d", "houses"
HOSTING = Hosting("image", 2048, 5)


def served(version: str, *, hosting: Hosting = HOSTING, group: str = GROUP) -> ServedVersion:
    return ServedVersion(group, version, Artifact("s3://b/k", f"digest of {version}"), hosting)


@dataclass
class FakeSageMaker:
    """What exists; a step is done at once, except that an endpoint needs a while to come into service."""

    models: set[str] = field(default_factory=set)
    configurations: set[str] = field(default_factory=set)
    status: str | None = None
    configuration: str = ""
    reason: str = ""
    broken: tuple[str, ...] = ()
    steps: list[str] = field(default_factory=list)
    _target: str = ""

    def endpoint(self, name: str) -> tuple[str, str, str] | None:
        return None if self.status is None else (self.status, self.configuration, self.reason)

    def has_configuration(self, name: str) -> bool:
        return name in self.configurations

    def has_model(self, name: str) -> bool:
        return name in self.models

    def do(self, plan: Plan) -> None:
        self.steps.append(plan.step)
        if plan.step == "wait":
            self._end_of_move()
        elif plan.step == "create model":
            self.models.add(plan.name)
        elif plan.step == "create configuration":
            self.configurations.add(plan.name)
        elif plan.step == "create endpoint":
            self.status, self.configuration, self._target = "Creating", plan.name, plan.name
        elif plan.step == "update endpoint":
            self.status, self._target = "Updating", plan.name
        elif plan.step == "delete endpoint":
            self.status, self.configuration = None, ""
        elif plan.step == "delete configuration":
            self.configurations.remove(plan.name)
        elif plan.step == "delete model":
            self.models.remove(plan.name)

    def _end_of_move(self) -> None:
        if self._target in self.broken:
            self.reason = "The container did not answer."
            self.status = "Failed" if self.status == "Creating" else "InService"
        else:
            self.status, self.configuration, self.reason = "InService", self._target, ""


def carried_out(
    sagemaker: FakeSageMaker,
    target: ServedVersion | None,
    *,
    until: tuple[str, ...] = (),
    before: Plan | None = None,
) -> Plan:
    """Do what the state machine does, to the end or until a step is done, from a plan before."""
    plan = before or Plan(GROUP, endpoint_name(PREFIX, GROUP), "wait")
    sagemaker.steps.clear()
    for _ in range(60):
        plan = plan_endpoint(plan, target, sagemaker, prefix=PREFIX)
        if plan.step in ("done", "give up"):
            return plan
        sagemaker.do(plan)
        if plan.step in until:
            return plan
    raise AssertionError(sagemaker.steps)


def test_a_first_champion_gets_an_endpoint_and_a_repeated_event_changes_nothing() -> None:
    sagemaker = FakeSageMaker()
    assert carried_out(sagemaker, served("v1.0.0")).step == "done"
    assert sagemaker.steps == ["create model", "create configuration", "create endpoint", "wait"]
    assert carried_out(sagemaker, served("v1.0.0")).step == "done"
    assert sagemaker.steps == []


def test_a_promotion_and_a_rollback_move_the_endpoint_and_leave_nothing_behind() -> None:
    sagemaker = FakeSageMaker()
    for version in ("v1.0.0", "v1.0.1", "v1.0.0"):
        assert carried_out(sagemaker, served(version)).step == "done"
        name = served(version).name(PREFIX)
        assert (sagemaker.status, sagemaker.configuration) == ("InService", name)
        assert sagemaker.models == sagemaker.configurations == {name}
    assert sagemaker.steps[-3:] == ["wait", "delete configuration", "delete model"]


def test_other_memory_or_another_image_moves_the_endpoint_too() -> None:
    sagemaker = FakeSageMaker()
    carried_out(sagemaker, served("v1.0.0"))
    assert carried_out(sagemaker, served("v1.0.0", hosting=Hosting("image", 4096, 5))).step == "done"
    assert "update endpoint" in sagemaker.steps


def test_a_version_that_does_not_come_into_service_leaves_the_earlier_one_there() -> None:
    sagemaker = FakeSageMaker()
    carried_out(sagemaker, served("v1.0.0"))
    sagemaker.broken = (served("v1.0.1").name(PREFIX),)
    plan = carried_out(sagemaker, served("v1.0.1"))
    assert (plan.step, plan.reason) == ("give up", "The container did not answer.")
    assert sagemaker.configuration == served("v1.0.0").name(PREFIX)
    assert sagemaker.steps.count("update endpoint") == 2


def test_a_rollback_while_a_version_fails_keeps_what_the_endpoint_serves() -> None:
    sagemaker = FakeSageMaker()
    carried_out(sagemaker, served("v1.0.0"))
    sagemaker.broken = (served("v1.0.1").name(PREFIX),)
    moving = carried_out(sagemaker, served("v1.0.1"), until=("update endpoint",))
    assert moving.previous == served("v1.0.0").name(PREFIX)
    plan = carried_out(sagemaker, served("v1.0.0"), before=moving)
    assert (plan.step, plan.previous) == ("done", served("v1.0.1").name(PREFIX))
    name = served("v1.0.0").name(PREFIX)
    assert (sagemaker.configuration, sagemaker.models, sagemaker.configurations) == (name, {name}, {name})


def test_an_endpoint_that_failed_is_made_anew_and_given_up_with_its_reason() -> None:
    sagemaker = FakeSageMaker(broken=(served("v1.0.0").name(PREFIX),))
    plan = carried_out(sagemaker, served("v1.0.0"))
    assert (plan.step, plan.reason) == ("give up", "The container did not answer.")
    assert sagemaker.steps.count("create endpoint") == 2
    sagemaker.broken = ()
    assert carried_out(sagemaker, served("v1.0.0")).step == "done"


def test_a_group_that_is_to_have_no_endpoint_loses_it_with_all_that_belongs_to_it() -> None:
    sagemaker = FakeSageMaker()
    assert carried_out(sagemaker, None).step == "done"
    assert sagemaker.steps == []
    carried_out(sagemaker, served("v1.0.0"))
    assert carried_out(sagemaker, None).step == "done"
    assert (sagemaker.status, sagemaker.models, sagemaker.configurations) == (None, set(), set())


def test_a_step_that_is_refused_is_given_up_with_what_sagemaker_said() -> None:
    plan = Plan(GROUP, "e", "wait")
    for step in ("create model", "create model", "give up"):
        plan = plan_endpoint(plan, served("v1.0.0"), FakeSageMaker(), prefix=PREFIX, cause="Access denied.")
        assert plan.step == step
    assert plan.reason == "Access denied."


def test_an_endpoint_that_never_ends_to_move_is_given_up() -> None:
    plan, sagemaker = Plan(GROUP, "e", "wait"), FakeSageMaker(status="Updating")
    waited = 0
    while plan.step == "wait":
        waited += plan.wait_seconds
        plan = plan_endpoint(plan, served("v1.0.0"), sagemaker, prefix=PREFIX)
    assert plan.step == "give up"
    assert 30 * 60 < waited < 60 * 60


@pytest.mark.parametrize("group", ["a", "A.b_c", "x" * 63, "Ünicode", "a_b", "a-b", "a.b"])
def test_names_are_bounded_and_different(group: str) -> None:
    names = {endpoint_name(PREFIX, group), served("v10.200.3000", group=group).name(PREFIX)}
    for name in names:
        assert name.startswith(PREFIX)
        assert len(name) <= 63
        assert all((part.isalnum() and part.islower()) or part.isdigit() for part in name.split("-"))
    others = ["a", "A.b_c", "x" * 63, "x" * 62 + "y", "a_b", "a-b", "a.b"]
    assert len({endpoint_name(PREFIX, other) for other in others}) == len(others)
