"""Any order of actions keeps the promises: numbers without gap, one champion, a log that replays."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mlops.errors import RegistryError, TransitionNotAllowedError
from mlops.models.registry import Artifact, Status
from mlops.models.training import EvaluationMetrics, GateResult
from mlops.registry.audit import replay
from mlops.registry.candidate import Candidate
from mlops.registry.lifecycle import TRANSITIONS, Action
from mlops.registry.model_registry import ModelRegistry

GROUP = "g"
FINAL = {Status.REJECTED_BY_GATE, Status.REJECTED, Status.SUPERSEDED}
STEPS = ["approve_model", "reject_model", "expire", "reopen", "supersede", "archive", "promote_model"]


class RegistryLife(RuleBasedStateMachine):
    """Drives a registry in files and remembers only what nobody may ever take back."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.registry = ModelRegistry(
            root=Path(self.folder.name), actor="tester", now=lambda: datetime(2026, 1, 1, tzinfo=UTC)
        )
        self.names: list[str] = []
        self.closed: dict[str, Status] = {}
        self.log: list = []
        self.had_champion = False

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(passed=st.booleans(), trees=st.integers(1, 2), features=st.sampled_from([("a",), ("a", "b")]))
    def register(self, passed: bool, trees: int, features: tuple[str, ...]) -> None:
        candidate = Candidate(
            "RandomForest",
            {"n_estimators": trees},
            EvaluationMetrics(),
            "d",
            Artifact("s3://b/k", "0" * 64),
            features=features,
            gate=GateResult(passed=passed),
        )
        self.names.append(
            self.registry.register(GROUP, candidate, job_key=f"job-{len(self.names)}").model.version
        )

    @rule(pick=st.integers(0, 20))
    def register_again(self, pick: int) -> None:
        if self.names:
            number = pick % len(self.names)
            candidate = Candidate("Other", {}, EvaluationMetrics(), "d", Artifact("s3://b/k", "1" * 64))
            again = self.registry.register(GROUP, candidate, job_key=f"job-{number}")
            assert (again.is_new, again.model.version) == (False, self.names[number])

    @rule(pick=st.integers(0, 20), step=st.sampled_from(STEPS))
    def move(self, pick: int, step: str) -> None:
        if not self.names:
            return
        version = self.names[pick % len(self.names)]
        before = self.registry.get_model(GROUP, version).status
        try:
            getattr(self.registry, step)(GROUP, version)
        except RegistryError:
            assert self.registry.get_model(GROUP, version).status is before

    @rule(pick=st.integers(0, 20))
    def ask(self, pick: int) -> None:
        if self.names:
            try:
                self.registry.request_approval(GROUP, self.names[pick % len(self.names)], f"{pick:064x}")
            except TransitionNotAllowedError:
                return

    @rule()
    def roll_back(self) -> None:
        try:
            self.registry.rollback(GROUP)
        except RegistryError:
            return

    @invariant()
    def versions_are_numbered_without_gap(self) -> None:
        models = self.registry.list_models(GROUP)
        assert [model.number for model in models] == list(range(1, len(self.names) + 1))
        assert [model.version for model in models] == self.names
        assert len(set(self.names)) == len(self.names)

    @invariant()
    def there_is_one_champion_from_the_first_on(self) -> None:
        champions = [m for m in self.registry.list_models(GROUP) if m.status is Status.CHAMPION]
        self.had_champion = self.had_champion or bool(champions)
        assert len(champions) == int(self.had_champion)
        assert self.registry.champion(GROUP) == (champions[0] if champions else None)

    @invariant()
    def what_is_closed_stays_closed(self) -> None:
        statuses = {model.version: model.status for model in self.registry.list_models(GROUP)}
        assert {version: statuses[version] for version in self.closed} == self.closed
        self.closed = {version: status for version, status in statuses.items() if status in FINAL}

    @invariant()
    def the_log_only_grows_and_replays_to_the_registry(self) -> None:
        log = self.registry.audit(GROUP)
        assert log[: len(self.log)] == self.log
        self.log = log
        state = replay(log)
        assert state.statuses == {model.version: model.status for model in self.registry.list_models(GROUP)}


TestRegistryLife = pytest.mark.property(RegistryLife.TestCase)
TestRegistryLife.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_no_action_leads_out_of_a_final_status() -> None:
    moves = [transition for transition in TRANSITIONS.values() if transition.target is not None]
    assert not FINAL & {source for transition in moves for source in transition.sources}
    assert set(TRANSITIONS) == set(Action)
