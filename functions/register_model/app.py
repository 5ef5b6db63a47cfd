"""Registers the model of a finished training job as a version, judged by the gate.

Started by the state "Register model" of the train_model machine. Writes the version, its evidence and the
run, once per training job; publishes metrics and the event ModelRegistered. Raises ArtifactError when the
job's output cannot be read, SettingsError when the gate asks for a score that the task does not have.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.experiment.factory import stack_runs
from mlops.experiment.store import RunStore
from mlops.experiment.training_runs import record_training
from mlops.infrastructure import environment
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.notifications import AwsNotifier
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.promotion_notification import notify_registration
from mlops.use_cases.register_training import FinishedTraining, register_training, summarize

logger = Logger()


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this function."""

    artifact_bucket_name: str
    event_bus_name: str
    metrics_namespace: str
    registry_table_name: str


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the handler works with, made once per worker."""

    notifier: AwsNotifier
    environment: Environment
    objects: S3Objects
    registry: ModelRegistry
    runs: RunStore


@cache
def dependencies() -> Dependencies:
    """Make the dependencies on first use."""
    variables = environment.read(Environment)
    registry = ModelRegistry(
        use_dynamodb=True, table_name=variables.registry_table_name, actor="register_model"
    )
    notifier = AwsNotifier("", variables.event_bus_name, variables.metrics_namespace)
    runs = stack_runs(variables.registry_table_name, variables.artifact_bucket_name)
    return Dependencies(notifier, variables, S3Objects(), registry, runs)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the version, and what the gate says about it."""
    needed = dependencies()
    registration = register_training(
        FinishedTraining.from_event(event),
        registry=needed.registry,
        objects=needed.objects,
        evidence_root=f"s3://{needed.environment.artifact_bucket_name}/models",
    )
    summary = summarize(registration)
    model = registration.model
    record_training(needed.runs, model)
    notify_registration(model, summary, needed.notifier)
    logger.info("model registered", group=model.model_group, version=model.version, status=model.status.value)
    gate = {"passed": model.gate.passed, "reasons": list(model.gate.reasons)} if model.gate else {}
    return {
        "group": model.model_group,
        "version": model.version,
        "status": model.status.value,
        "gate": gate,
        "summary": summary,
    }
