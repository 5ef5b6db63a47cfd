"""A small world in which uploads arrive, and in which calls can be made to fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.dataset.limits import Limits
from mlops.infrastructure.aws.cloudwatch import Metric
from mlops.infrastructure.aws.stepfunctions import Execution
from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.infrastructure.upload_events import Upload
from mlops.intake.intake import receive_upload
from mlops.intake.ports import IntakePorts, IntakeResult
from mlops.ledger.batches import LedgerBatches
from mlops.models.intake.uploads import Claim
from mlops.models.objects import ObjectRef
from mlops.models.registry import ModelMetadata
from tests.feature_stores import an_empty_feature_store
from tests.memory_table import MemoryTable
from tests.policies import some_policies

NOW = datetime(2026, 10, 5, 8, tzinfo=UTC)
LATER = NOW + timedelta(minutes=20)
GOOD = "patient_id,age,plan,adherent\n" + "".join(
    f"P{i},{20 + i * 37 % 60},{'abc'[i * 7 % 3]},{'yes' if (i * i + i // 3) % 5 < 3 else 'no'}\n"
    for i in range(120)
)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Models:
    found: list[ModelMetadata] = field(default_factory=list)

    def champion(self, group: str) -> ModelMetadata | None:
        return self.found[-1] if self.found else None

    def list_models(self, group: str) -> list[ModelMetadata]:
        return self.found


@dataclass
class Executions:
    training: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    inference: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    validation: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)

    def find_training(self, name: str) -> Execution | None:
        document = self.training.get(name)
        return document and Execution(f"arn:{name}", self.statuses.get(name, "RUNNING"), document)

    def start_validation(self, name: str, document: Mapping[str, Any]) -> None:
        self.validation.setdefault(name, document)

    def start_training(self, name: str, document: Mapping[str, Any]) -> None:
        self.training.setdefault(name, document)

    def start_inference(self, name: str, document: Mapping[str, Any]) -> None:
        self.inference.setdefault(name, document)


@dataclass
class Notifier:
    emails: list[tuple[str, str]] = field(default_factory=list)
    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)

    def send_email(self, subject: str, body: str, *, group: str) -> None:
        self.emails.append((subject, body))

    def publish_event(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        self.events.append((detail_type, detail))

    def publish_metrics(self, metrics: Sequence[Metric], *, group: str | None) -> None:
        self.metrics.extend(metrics)

    def said(self) -> list[str]:
        subjects, types = [mail[0] for mail in self.emails], [event[0] for event in self.events]
        return sorted([*subjects, *types, *(metric.name for metric in self.metrics)])


class Unavailable:
    """A port that does not answer."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        raise ConnectionError(name)


class Interrupted:
    """Objects during whose first download something else happens."""

    def __init__(self, objects: FilesystemObjects, event: Callable[[], object]) -> None:
        self._objects, self._events = objects, [event]

    def __getattr__(self, name: str) -> Any:
        if name == "download" and self._events:
            self._events.pop()()
        return getattr(self._objects, name)


class Killing:
    """A port whose n-th call, over all ports that share the countdown, is the last thing that happens."""

    def __init__(self, port: Any, countdown: list[int], *, before: bool) -> None:
        self._port, self._countdown, self._before = port, countdown, before

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not callable(method):
            return Killing(method, self._countdown, before=self._before)

        def call(*arguments: Any, **named: Any) -> Any:
            self._countdown[0] -= 1
            is_last = self._countdown[0] == 0
            if is_last and self._before:
                raise Killed
            answer = method(*arguments, **named)
            if is_last:
                raise Killed
            return answer

        return call


@dataclass
class World:
    """A data bucket, an artifact bucket and everything that listens."""

    root: Path
    models: Models = field(default_factory=Models)
    executions: Executions = field(default_factory=Executions)
    notifier: Notifier = field(default_factory=Notifier)

    def __post_init__(self) -> None:
        self.objects = FilesystemObjects(self.root / "objects")
        self.versions = DatasetVersions(MemoryTable())
        self.policies = some_policies()
        self.batches = LedgerBatches(MemoryTable())
        self.features = an_empty_feature_store(self.objects, now=lambda: NOW)

    def ports(self, countdown: list[int] | None = None, *, before: bool = False) -> IntakePorts:
        found = (self.objects, self.versions, self.models, self.executions, self.notifier)
        wrapped = found if countdown is None else [Killing(port, countdown, before=before) for port in found]
        return IntakePorts(
            *wrapped,  # type: ignore[arg-type]
            artifact_bucket="artifacts",
            policies=self.policies,
            batches=self.batches,
            features=self.features,
        )

    def drop(self, key: str, content: str | bytes) -> Upload:
        written = content.encode() if isinstance(content, str) else content
        ref = self.objects.write(ObjectRef("data", key), written, "text/csv")
        return Upload("data", key, ref.version_id, len(written))

    def receive(
        self, upload: Upload, ports: IntakePorts | None = None, *, owner: str = "run", now: datetime = NOW
    ) -> IntakeResult:
        claim = Claim(owner, now + timedelta(minutes=15))
        return receive_upload(upload, ports=ports or self.ports(), limits=Limits(), claim=claim, now=now)

    def artifacts(self) -> list[str]:
        return [facts.ref.key for facts in self.objects.list("artifacts", "")]
