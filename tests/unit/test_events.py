"""docs/reference/events.md and the code agree: every event is published, in the form that the page shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from mlops.dataset.conversion.workbook import SheetChoice
from mlops.infrastructure import event_names
from mlops.infrastructure.upload_events import Upload
from mlops.intake import outbox
from mlops.intake.answers.given_up import MAX_ATTEMPTS
from mlops.intake.conversion import ConversionRequest
from mlops.intake.retraining.check import retraining_detail
from mlops.intake.retraining.requests import RetrainingRequests
from mlops.intake.retraining.store import RetrainingStore
from mlops.models.dataset import Finding, ValidationReport
from mlops.models.drift.report import DriftReport
from mlops.models.intake.retraining import Retraining
from mlops.models.intake.uploads import UploadRecord
from mlops.models.objects import Artifact, ObjectRef
from mlops.models.registry import Candidate
from mlops.models.scoring.batch import BatchSummary
from mlops.models.scoring.result import DataQuality
from mlops.models.training import EvaluationMetrics, GateResult
from mlops.monitoring.verdict.arrivals import judge_arrivals
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.promotion_notification import notify_decline, notify_promotion, notify_registration
from mlops.registry.rollback import roll_back
from mlops.use_cases.batch_notification import BatchNotifier
from mlops.use_cases.drift.drift_notification import notify as announce_drift
from mlops.use_cases.endpoints.follow_champion import EndpointPlanner
from mlops.use_cases.endpoints.plan import Hosting, ServedVersion
from mlops.use_cases.quality.check_quality import quality_detail
from tests.memory_table import MemoryTable
from tests.unit.dataset.intake_world import GOOD, Unavailable, World
from tests.unit.pages.samples import a_quality_report
from tests.unit.use_cases.test_endpoint_plan import FakeSageMaker

GROUP, NIGHT = "medication-adherence", date(2026, 3, 2)
NAMES = {value for name, value in vars(event_names).items() if name.isupper()}
DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "events.md").read_text()
EXAMPLES = {
    name: json.loads(example)
    for name, example in re.findall(r"^### (\w+)\n.*?```json\n(.*?)```", DOCUMENT, re.MULTILINE | re.DOTALL)
}


class Bus:
    """An announcer that keeps events as they cross the wire."""

    def __init__(self) -> None:
        self.published: list[tuple[str, dict]] = []

    def send_email(self, subject, body, *, group):
        assert group == GROUP

    def publish_metrics(self, metrics, *, group):
        assert group == GROUP

    def publish_event(self, detail_type, detail):
        self.published.append((detail_type, json.loads(json.dumps(detail, allow_nan=False))))


def published_by_the_registry(bus: Bus, folder: Path) -> None:
    registry = ModelRegistry(
        root=folder / "registry", actor="ada", now=lambda: datetime(2026, 3, 1, tzinfo=UTC)
    )
    (folder / "model").write_text("model")
    for _ in range(2):
        model = registry.register_model(
            GROUP, folder / "model", EvaluationMetrics(), {}, "d1", "RandomForest"
        )
        notify_registration(model, f"{GROUP} {model.version}: RandomForest.", bus)
        registry.approve_model(GROUP, model.version, reason="Better on every slice.")
        notify_promotion(registry.promote_model(GROUP, model.version, reason="Better on every slice."), bus)
    roll_back(GROUP, registry=registry, notifier=bus, reason="Wrong unit.", by="ada")
    for close in (registry.reject_model, registry.expire, registry.supersede):
        model = registry.register_model(
            GROUP, folder / "model", EvaluationMetrics(), {}, "d1", "RandomForest"
        )
        notify_decline(close(GROUP, model.version, reason="Not now."), registry.champion(GROUP), bus)
    refused = Candidate(
        "Ridge", {}, EvaluationMetrics(), "d", Artifact("s3://b/k", "0" * 64), gate=GateResult(passed=False)
    )
    notify_registration(registry.register(GROUP, refused).model, "refused", bus)


def published_by_intake(bus: Bus) -> None:
    record = UploadRecord(
        GROUP, "5f" * 16, f"{GROUP}/training/a.csv", "v", "accepted", datetime(2026, 3, 1, tzinfo=UTC),
        "training", dataset_id="a1" * 32,
    )  # fmt: skip
    upload = Upload("data", f"{GROUP}/training/a.parquet", "v", 48_213, "00617F08299329D189")
    bus.publish_event(event_names.CONVERSION_REQUESTED, ConversionRequest(upload, SheetChoice()).to_dict())
    report = ValidationReport("warn", (Finding("empty_file", "reject", "m"),), 2000, 12, "s", 9, "training")
    place = ObjectRef("artifacts", "quarantine/a.csv")
    for made in (outbox.acceptance(record, report), outbox.rejection(record, report, ("s", "b"), place)):
        for announcement in made:
            if announcement.kind == "event":
                bus.publish_event(announcement.title, announcement.detail)


def published_by_intake_about_what_is_not_used(bus: Bus, folder: Path) -> None:
    world, owner = World(folder), iter(range(99))
    world.versions.add_group(GROUP)
    world.receive(world.drop(f"{GROUP}/train/march.csv", "a,b\n"))
    upload, broken = (
        world.drop(f"{GROUP}/training/a.csv", GOOD),
        replace(world.ports(), executions=Unavailable()),
    )
    for _ in range(MAX_ATTEMPTS):
        with suppress(ConnectionError):
            world.receive(upload, broken, owner=f"{next(owner)}")
    world.receive(upload, broken, owner="last")
    world.receive(world.drop(f"{GROUP}/model.toml", "traget = 1"))
    for kind, detail in world.notifier.events:
        bus.publish_event(kind, detail)


def published_by_scoring(bus: Bus) -> None:
    summary = BatchSummary(
        GROUP, "b" * 32, 3, "s3://a/p.csv", "s3://a/r.html", "OK", 0.01, (), "march.csv", "v1.0.0",
        "s3://a/manifest.json", {"scored": 2, "unreadable:age": 1},
    )  # fmt: skip
    BatchNotifier(bus, lambda _: "https://api.example.com/results/token")(summary, DataQuality(), None)


class NoApprovers:
    """`PersonalEmails` to no one."""

    def send(self, group, night, compose):
        return 0


def published_by_the_nightly_check(bus: Bus) -> None:
    report = DriftReport(
        "ALERT",
        0.31,
        (),
        {},
        900,
        2000,
        0.1,
        0.2,
        model_group=GROUP,
        model_version="v1.0.0",
        window_days=7,
    )
    for kind in (event_names.DRIFT_DETECTED, event_names.DRIFT_WARNED, event_names.DRIFT_RESOLVED):
        announce_drift(
            kind,
            report,
            date(2026, 3, 1),
            report_uri="s3://a/drift_report.html",
            notifier=bus,
            personal=NoApprovers(),
        )
    late = judge_arrivals({date(2026, 2, 1) + timedelta(i): 900 for i in range(24)}, date(2026, 3, 1))
    for kind in (event_names.DRIFT_DETECTED, event_names.DRIFT_WARNED, event_names.DRIFT_RESOLVED):
        announce_drift(
            kind,
            replace(report, arrivals=late),
            date(2026, 3, 1),
            report_uri="s3://a/drift_report.html",
            notifier=bus,
            personal=NoApprovers(),
            topic="arrivals",
        )


def published_by_measuring_quality(bus: Bus) -> None:
    report = a_quality_report()
    report = replace(report, model_group=GROUP)
    for name in (event_names.QUALITY_MEASURED, event_names.QUALITY_DROPPED):
        bus.publish_event(name, quality_detail(report, "s3://a/quality_report.html"))


def published_by_endpoints(bus: Bus, folder: Path) -> None:
    registry = ModelRegistry(root=folder / "endpoints", actor="ada")
    registry.register(GROUP, Candidate("Ridge", {}, EvaluationMetrics(), "d", Artifact("s3://b/k", "0" * 64)))
    registry.approve_model(GROUP, "v1.0.0")
    registry.promote_model(GROUP, "v1.0.0")
    hosting = Hosting("image", 2048, 5)
    name = ServedVersion(GROUP, "v1.0.0", Artifact("s3://b/k", "0" * 64), hosting).name("mlops-0a1b2c3d")
    served, never = FakeSageMaker(status="InService", configuration=name), FakeSageMaker(status="Updating")
    for existing in (served, never):
        existing.models = existing.configurations = {name}
        planner = EndpointPlanner(
            registry, None, bus, existing, "artifacts", folder, "mlops-0a1b2c3d", hosting, {GROUP}
        )
        plan = None
        while plan is None or plan["step"] == "wait":
            plan = planner.next_step(GROUP, plan)


def published_by_retraining(bus: Bus) -> None:
    retraining = Retraining(
        GROUP,
        "20260302T033000000000-v1.0.1",
        "v1.0.1",
        ("The quality dropped.",),
        "requested",
        datetime(2026, 3, 2, tzinfo=UTC),
        files_rows=2000,
        ledger_rows=2100,
        n_new_rows=2100,
        requested_by="ada",
    )
    RetrainingRequests(RetrainingStore(MemoryTable()), ModelRegistry(root=Path()), bus, "artifacts").announce(
        retraining
    )
    for name in (event_names.RETRAINING_PROPOSED, event_names.RETRAINING_STARTED):
        bus.publish_event(name, retraining_detail(retraining))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, dict]]:
    """Everything that the code publishes, by the functions that publish it."""
    bus = Bus()
    published_by_the_registry(bus, tmp_path_factory.mktemp("registry"))
    published_by_intake(bus)
    published_by_intake_about_what_is_not_used(bus, tmp_path_factory.mktemp("intake"))
    published_by_scoring(bus)
    published_by_the_nightly_check(bus)
    published_by_measuring_quality(bus)
    published_by_endpoints(bus, tmp_path_factory.mktemp("endpoints"))
    published_by_retraining(bus)
    return bus.published


def kinds(value: object, path: str = "detail") -> Iterator[tuple[str, str]]:
    """The type of every part of a document; a number is a number, and null stands for anything."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from kinds(part, f"{path}.{name}")
    elif value is None:
        yield path, "any"
    else:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        yield path, "number" if number else type(value).__name__


def test_every_event_is_documented_and_every_documented_event_exists():
    assert set(EXAMPLES) == NAMES
    table = set(re.findall(r"^\| \[(\w+)\]", DOCUMENT, re.MULTILINE))
    assert table == NAMES


def test_every_event_is_published(published):
    assert {name for name, _ in published} == NAMES


def test_events_look_as_the_page_shows_them(published):
    for name, detail in published:
        shown, sent = dict(kinds(EXAMPLES[name])), dict(kinds(detail))
        assert set(shown) == set(sent), name
        differing = {
            part for part in sent if "any" not in (sent[part], shown[part]) and sent[part] != shown[part]
        }
        assert differing == set(), name


def test_the_patterns_of_the_page_match_the_examples():
    patterns = re.findall(r"```json pattern\n(.*?)```", DOCUMENT, re.DOTALL)
    assert patterns
    for text in patterns:
        pattern = json.loads(text)
        assert pattern["source"] == ["mlops"]
        for name in pattern["detail-type"]:
            for field, allowed in pattern.get("detail", {}).items():
                assert EXAMPLES[name][field] in allowed
