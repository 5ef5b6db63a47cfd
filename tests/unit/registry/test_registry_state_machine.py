"""Any order of actions, and of deaths between two writes, keeps the promises of the registry.

`make prove` tries 2,000 sequences, the suite 25.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mlops.infrastructure.sqlite_table import SqliteTable
from mlops.infrastructure.table import Put, SetAttribute
from mlops.models.errors import RegistryError, TransitionNotAllowedError
from mlops.models.objects import Artifact
from mlops.models.registry import Candidate, Status
from mlops.models.training import EvaluationMetrics, GateResult
from mlops.registry.audit import replay
from mlops.registry.lifecycle import TRANSITIONS, Action
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.store import RegistryStore

GROUP = "g"
FINAL = {Status.REJECTED_BY_GATE, Status.REJECTED, Status.SUPERSEDED}
STEPS = ["approve_model", "reject_model", "expire", "reopen", "supersede", "archive", "promote_model"]


class KilledError(BaseException):
    """The process has ended; the library must not catch this."""


class DyingTable(SqliteTable):
    """Writes until the write at which the process ends: before its commit, or after it."""

    left: int | None = None
    is_after = False

    def write(self, *operations: Put | SetAttribute) -> bool:
        is_last = self.left == 0
        self.left = None if self.left is None or is_last else self.left - 1
        if is_last and not self.is_after:
            raise KilledError
        is_written = super().write(*operations)
        if is_last:
            raise KilledError
        return is_written


class RegistryLife(RuleBasedStateMachine):
    """Drives a local registry, kills it in between, and remembers what must not be taken back."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.table = DyingTable(Path(self.folder.name) / "registry.sqlite3")
        self.registry = self.start()
        self.names: list[str] = []
        self.closed: dict[str, Status] = {}
        self.log: list = []
        self.had_champion = False
        self.is_abandoned = False

    def start(self) -> ModelRegistry:
        return ModelRegistry(
            store=RegistryStore(self.table), actor="tester", now=lambda: datetime(2026, 1, 1, tzinfo=UTC)
        )

    def teardown(self) -> None:
        self.folder.cleanup()

    def drive[T](self, action: Callable[[ModelRegistry], T]) -> T | None:
        """Do it; when killed, do it again in a new process, or leave it at that (None)."""
        try:
            return action(self.registry)
        except KilledError:
            self.registry = self.start()
            return None if self.is_abandoned else action(self.registry)
        finally:
            self.table.left = None

    @rule(writes=st.integers(0, 2), is_after=st.booleans(), is_abandoned=st.booleans())
    def kill(self, writes: int, is_after: bool, is_abandoned: bool) -> None:
        self.table.left, self.table.is_after, self.is_abandoned = writes, is_after, is_abandoned

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
        job = f"job-{len(self.names)}"
        registered = self.drive(lambda registry: registry.register(GROUP, candidate, job_key=job))
        models = self.registry.list_models(GROUP)
        if registered is not None:
            assert models[-1] == registered.model
        assert len(models) in (len(self.names), len(self.names) + 1)
        self.names += [model.version for model in models[len(self.names) :]]

    @rule(pick=st.integers(0, 20))
    def register_again(self, pick: int) -> None:
        if self.names:
            number = pick % len(self.names)
            candidate = Candidate("Other", {}, EvaluationMetrics(), "d", Artifact("s3://b/k", "1" * 64))
            again = self.drive(lambda registry: registry.register(GROUP, candidate, job_key=f"job-{number}"))
            assert again is not None
            assert (again.is_new, again.model.version) == (False, self.names[number])

    @rule(pick=st.integers(0, 20), step=st.sampled_from(STEPS))
    def move(self, pick: int, step: str) -> None:
        if not self.names:
            return
        version = self.names[pick % len(self.names)]
        before = self.registry.get_model(GROUP, version).status
        try:
            self.drive(lambda registry: getattr(registry, step)(GROUP, version))
        except RegistryError:
            assert self.registry.get_model(GROUP, version).status is before

    @rule(pick=st.integers(0, 20))
    def ask(self, pick: int) -> None:
        if self.names:
            version = self.names[pick % len(self.names)]
            with suppress(TransitionNotAllowedError):
                self.drive(lambda registry: registry.request_approval(GROUP, version, f"{pick:064x}"))

    @rule(pick=st.integers(0, 20), by=st.sampled_from(("ada", "bob")))
    def answer(self, pick: int, by: str) -> None:
        if self.names:
            version, at = self.names[pick % len(self.names)], datetime.now(UTC)
            self.drive(lambda registry: registry.record_answer(GROUP, version, by=by, reason="yes", at=at))

    @rule(pick=st.integers(0, 20))
    def annotate(self, pick: int) -> None:
        if self.names:
            version, tags = self.names[pick % len(self.names)], {"pick": str(pick)}
            self.drive(lambda registry: registry.annotate_model(GROUP, version, tags=tags))

    @rule()
    def roll_back(self) -> None:
        champion = self.registry.champion(GROUP)
        leaving = champion.version if champion else None
        with suppress(RegistryError):
            back = self.drive(lambda registry: registry.rollback(GROUP, only_from=leaving))
            assert back is None or back.previous_champion == leaving

    @rule()
    def sweep(self) -> None:
        self.registry = self.start()
        self.registry.check_audit(GROUP)

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
    max_examples={"full": 2_000, "hour": 500}.get(os.environ.get("PROOFS", ""), 25),
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_no_action_leads_out_of_a_final_status() -> None:
    moves = [transition for transition in TRANSITIONS.values() if transition.target is not None]
    assert not FINAL & {source for transition in moves for source in transition.sources}
    assert set(TRANSITIONS) == set(Action)
