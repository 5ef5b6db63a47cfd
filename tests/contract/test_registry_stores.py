"""The registry's store, over a local file and over DynamoDB."""

from __future__ import annotations

import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

import pytest

from mlops.infrastructure.contention import Backoff
from mlops.models.errors import (
    ModelNotFoundError,
    RegistryConflictError,
    RegistryError,
    TransitionNotAllowedError,
)
from mlops.models.objects import Artifact
from mlops.models.registered import waiting_candidate
from mlops.models.registry import Candidate, GroupState, ModelMetadata, Status, VersionSummary
from mlops.models.training import EvaluationMetrics, GateResult
from mlops.registry.audit import replay
from mlops.registry.changes import AuditStamp, registration
from mlops.registry.factory import open_store
from mlops.registry.model_registry import ModelRegistry

GROUP = "adherence"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
N_WRITERS = 64 if "PROOFS" in os.environ else 16  # moto takes one request at a time, and the writers conflict


def a_candidate(**changes) -> Candidate:
    candidate = Candidate(
        algorithm="RandomForest",
        hyperparameters={"n_estimators": 100, "max_features": 1.0},
        metrics=EvaluationMetrics(roc_auc=0.75, task="binary", n_rows=200, primary="roc_auc"),
        dataset_version="d1",
        artifact=Artifact("s3://artifacts/model.tar.gz", "a" * 64, "v-1"),
        features=("age", "region"),
        target="stopped",
    )
    return replace(candidate, **changes)


@pytest.fixture(params=["files", "dynamodb"])
def store(request, tmp_path):
    if request.param == "files":
        return open_store(False, root=tmp_path)
    return open_store(True, root="", table_name=request.getfixturevalue("registry_table"))


@pytest.fixture
def registry(store):
    return ModelRegistry(store=store, actor="tester", now=lambda: NOW, backoff=Backoff(rng=random.Random(1)))


def approved(registry: ModelRegistry, **changes) -> str:
    version = registry.register(GROUP, a_candidate(**changes)).model.version
    registry.approve_model(GROUP, version, by="ada", reason="fine")
    return version


def test_what_is_registered_is_read_back_equal(registry):
    registered = registry.register(GROUP, a_candidate()).model
    assert registry.get_model(GROUP, "v1.0.0") == registered
    assert registry.list_models(GROUP) == [registered]
    assert registered.hyperparameters["max_features"] == 1.0
    assert isinstance(registry.get_model(GROUP, "v1.0.0").hyperparameters["max_features"], float)
    assert registry.groups() == [GROUP]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterModel(ModelMetadata):
    """A version as a later release might keep it."""

    carbon_grams: float = 1.0


def test_a_version_that_a_later_release_kept_can_be_read_and_promoted(registry, store):
    change = registration(GROUP, a_candidate(), AuditStamp("ada", "", NOW), state=None, latest=None)
    (write,) = change.writes
    later = LaterModel(**{field.name: getattr(write.model, field.name) for field in fields(write.model)})
    store.commit(replace(change, writes=(replace(write, model=later),)))
    assert registry.get_model(GROUP, "v1.0.0") == write.model
    registry.approve_model(GROUP, "v1.0.0")
    assert registry.promote_model(GROUP, "v1.0.0").model.status is Status.CHAMPION


def test_a_summary_says_of_each_version_what_its_record_says(registry):
    candidates = (
        a_candidate(),
        a_candidate(algorithm="Ridge", metrics=EvaluationMetrics(r2=1, primary="r2")),
        a_candidate(metrics=EvaluationMetrics()),
        a_candidate(metrics=EvaluationMetrics(primary="r2")),
    )
    models = [registry.register(GROUP, candidate).model for candidate in candidates]
    summaries = registry.list_summaries(GROUP)
    for model, summary in zip(models, summaries, strict=True):
        assert summary == VersionSummary(
            model.version, model.status, model.created_at, model.algorithm, model.metrics.primary_score
        )
    assert [each.primary_score for each in summaries] == [("roc_auc", 0.75), ("r2", 1.0), None, None]
    assert registry.list_summaries("unknown") == []


def test_versions_are_listed_by_their_status(registry):
    first, second, third = (registry.register(GROUP, a_candidate()).model.version for _ in range(3))
    registry.request_approval(GROUP, second, "a" * 64)
    registry.reject_model(GROUP, third)
    listed = registry.list_models(GROUP, (Status.REGISTERED, Status.PENDING_APPROVAL))
    assert [model.version for model in listed] == [first, second]
    assert listed == registry.list_models(GROUP)[:2]
    assert waiting_candidate(registry, GROUP) == listed[1]
    assert waiting_candidate(registry, "unknown") is None


def test_versions_follow_what_changed(registry):
    changes = [
        {},
        {"dataset_version": "d2"},
        {"hyperparameters": {"n_estimators": 200}},
        {"features": ("age",)},
        {"features": ("age",), "target": "other"},
    ]
    versions = [registry.register(GROUP, a_candidate(**change)).model.version for change in changes]
    assert versions == ["v1.0.0", "v1.0.1", "v1.1.0", "v2.0.0", "v3.0.0"]


def test_the_same_job_registers_once(registry):
    first = registry.register(GROUP, a_candidate(), job_key="arn:job")
    second = registry.register(GROUP, a_candidate(dataset_version="other"), job_key="arn:job")
    assert (first.is_new, second.is_new) == (True, False)
    assert second.model == first.model
    assert len(registry.list_models(GROUP)) == 1


def test_a_candidate_refused_by_its_gate_stays_refused(registry):
    gate = GateResult(passed=False, reasons=("roc_auc 0.5 is below 0.7.",))
    model = registry.register(GROUP, a_candidate(gate=gate)).model
    assert model.status is Status.REJECTED_BY_GATE
    assert model.status_reason == "roc_auc 0.5 is below 0.7."
    with pytest.raises(TransitionNotAllowedError, match="RejectedByGate"):
        registry.approve_model(GROUP, model.version)


def test_a_promotion_archives_the_champion_before(registry):
    first = approved(registry)
    assert registry.champion(GROUP) is None
    assert registry.promote_model(GROUP, first).previous_champion is None
    second = approved(registry)
    promotion = registry.promote_model(GROUP, second, by="ada", reason="better")
    assert (promotion.previous_champion, promotion.is_new) == (first, True)
    assert registry.champion(GROUP).version == second
    assert registry.get_model(GROUP, first).status is Status.ARCHIVED


def test_a_second_promotion_of_the_champion_says_what_the_first_said(registry):
    first, second = approved(registry), approved(registry)
    registry.promote_model(GROUP, first)
    registry.promote_model(GROUP, second)
    entries = len(registry.audit(GROUP))
    again = registry.promote_model(GROUP, second)
    assert (again.previous_champion, again.is_new) == (first, False)
    assert len(registry.audit(GROUP)) == entries


def test_rollback_brings_back_the_version_that_the_champion_replaced(registry):
    versions = [approved(registry) for _ in range(3)]
    for version in versions:
        registry.promote_model(GROUP, version)
    assert registry.rollback(GROUP, reason="alarm").model.version == versions[1]
    assert registry.rollback(GROUP, reason="alarm").model.version == versions[0]
    with pytest.raises(RegistryError, match="none to go back to"):
        registry.rollback(GROUP)
    assert registry.rollback(GROUP, to=versions[2]).model.version == versions[2]


def test_a_rollback_of_a_version_that_is_not_champion_any_more_is_refused(registry):
    first, second, third = (approved(registry) for _ in range(3))
    for version in (first, second, third):
        registry.promote_model(GROUP, version)
    with pytest.raises(TransitionNotAllowedError, match=f"{third} is the champion of {GROUP}, not {second}"):
        registry.rollback(GROUP, to=first, only_from=second)
    assert registry.rollback(GROUP, to=second, only_from=third).is_new
    assert not registry.rollback(GROUP, to=second, only_from=third).is_new


def test_an_expired_version_can_be_asked_about_again(registry):
    version = registry.register(GROUP, a_candidate()).model.version
    registry.request_approval(GROUP, version, "a" * 64)
    registry.expire(GROUP, version)
    with pytest.raises(TransitionNotAllowedError):
        registry.request_approval(GROUP, version, "b" * 64)
    assert registry.reopen(GROUP, version, by="ada", reason="was away").status is Status.REGISTERED
    assert registry.request_approval(GROUP, version, "b" * 64).approval_request == "b" * 64


def test_only_an_approved_version_is_promoted(registry):
    version = registry.register(GROUP, a_candidate()).model.version
    with pytest.raises(TransitionNotAllowedError, match="must be Approved"):
        registry.promote_model(GROUP, version)


def test_the_champion_is_never_archived_by_itself(registry):
    version = approved(registry)
    registry.promote_model(GROUP, version)
    with pytest.raises(RegistryError, match="is the champion"):
        registry.archive(GROUP, version)


def test_final_decisions_are_idempotent_and_final(registry):
    version = registry.register(GROUP, a_candidate()).model.version
    registry.request_approval(GROUP, version, "h" * 64)
    rejected = registry.reject_model(GROUP, version, by="ada", reason="leak")
    assert registry.reject_model(GROUP, version, by="bob", reason="late") == rejected
    assert rejected.approval_request == "h" * 64
    with pytest.raises(TransitionNotAllowedError):
        registry.approve_model(GROUP, version)


def test_the_audit_log_replays_to_the_registry(registry):
    first, second = approved(registry), approved(registry)
    registry.promote_model(GROUP, first)
    registry.promote_model(GROUP, second)
    registry.rollback(GROUP, by="ada", reason="alarm")
    registry.register(GROUP, a_candidate(gate=GateResult(passed=False)))
    state = replay(registry.audit(GROUP))
    assert state.statuses == {model.version: model.status for model in registry.list_models(GROUP)}
    assert state.group_state == GroupState(3, "v1.0.2", first, len(registry.audit(GROUP)))
    last = registry.audit(GROUP)[-2]
    assert (last.by, last.reason, last.version, last.previous_champion) == ("ada", "alarm", first, second)


def test_unknown_names_are_answered_with_known_ones(registry):
    registry.register(GROUP, a_candidate())
    with pytest.raises(ModelNotFoundError, match=r"its newest is v1\.0\.0"):
        registry.get_model(GROUP, "v9.0.0")
    with pytest.raises(ModelNotFoundError, match="Did you mean 'adherence'"):
        registry.approve_model("adherense", "v1.0.0")


@pytest.mark.parametrize("group", ["", "../up", "a/b", ".hidden", "a" * 64, "<script>", "a\n"])
def test_a_name_that_cannot_be_a_group_is_refused(registry, group):
    with pytest.raises(RegistryError, match="cannot name a model group"):
        registry.register(group, a_candidate())


def test_a_stale_change_is_refused_whole(store):
    def change(state=None, latest=None, job_key=None):
        return registration(
            GROUP, a_candidate(), AuditStamp("ada", "", NOW), state=state, latest=latest, job_key=job_key
        )

    store.commit(change(job_key="one"))
    with pytest.raises(RegistryConflictError):
        store.commit(change(job_key="two"))
    assert len(store.versions(GROUP)) == len(store.audit(GROUP)) == 1
    assert store.version_of_job(GROUP, "two") is None
    with pytest.raises(RegistryConflictError):  # the state is current, the job was registered before
        store.commit(change(store.group_state(GROUP), store.versions(GROUP)[0], job_key="one"))
    assert store.group_state(GROUP).n_versions == 1


def test_ten_thousand_columns_fit(registry):
    names = tuple(f"a_rather_long_name_of_a_measurement_{index:05d}" for index in range(10_000))
    wide = a_candidate(features=names, feature_importance=dict.fromkeys(names, 0.123456789))
    registry.register(GROUP, wide)
    assert registry.get_model(GROUP, "v1.0.0").features == names


def test_threads_register_versions_without_gap(registry):
    barrier = threading.Barrier(N_WRITERS)

    def register(index: int) -> str:
        barrier.wait()
        return registry.register(
            GROUP, a_candidate(dataset_version=f"d{index}"), job_key=f"job-{index}"
        ).model.version

    with ThreadPoolExecutor(N_WRITERS) as pool:
        versions = list(pool.map(register, range(N_WRITERS)))
    models = registry.list_models(GROUP)
    assert sorted(versions) == sorted(f"v1.0.{patch}" for patch in range(N_WRITERS))
    assert [model.number for model in models] == list(range(1, N_WRITERS + 1))
    assert replay(registry.audit(GROUP)).group_state == GroupState(
        N_WRITERS, f"v1.0.{N_WRITERS - 1}", None, N_WRITERS
    )


def test_parallel_promotions_leave_one_champion_in_every_read(registry):
    versions = [approved(registry) for _ in range(6)]
    registry.promote_model(GROUP, versions[0])
    seen, done = [], threading.Event()

    def read() -> None:
        while not done.wait(0.02):  # a reader without a pause would starve the writers of moto's one lock
            seen.append(sum(model.status is Status.CHAMPION for model in registry.list_models(GROUP)))
            assert registry.champion(GROUP) is not None

    with ThreadPoolExecutor(6) as pool:
        reader = pool.submit(read)
        try:
            list(pool.map(lambda version: registry.promote_model(GROUP, version), versions[1:]))
        finally:
            done.set()
        reader.result()
    assert set(seen) == {1}
    state = replay(registry.audit(GROUP))
    assert list(state.statuses.values()).count(Status.CHAMPION) == 1
    assert len(registry.audit(GROUP)) == 18
