"""Registers the model of a finished training job as a version, with the result of the gate.

Started by the state "Register model" of the train_model machine. Writes the version, its evidence and the
run, once per training job; publishes metrics and the event ModelRegistered. Raises ArtifactError when the
output of the job cannot be read, SettingsError when the gate requires a score that the task does not have.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.experiment.training_runs import record_training
from mlops.registry.promotion_notification import notify_registration
from mlops.use_cases.register_training import FinishedTraining, register_training, summarize

logger = Logger()
DEPENDENCIES = Dependencies("register_model")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Return the version, and the result of the gate."""
    training = FinishedTraining.from_event(event)
    registration = register_training(
        training,
        registry=dependencies.registry,
        objects=dependencies.objects,
        evidence_root=f"s3://{dependencies.artifact_bucket}/models",
        gate_floors=dependencies.policies.of(training.group, training.settings).gate_floors,
    )
    model, summary = registration.model, summarize(registration)
    record_training(dependencies.run_store, model)
    notify_registration(model, summary, dependencies.notifier)
    logger.info("model registered", group=model.model_group, version=model.version, status=model.status.value)
    return {
        "group": model.model_group,
        "version": model.version,
        "status": model.status.value,
        "gate": {"passed": model.gate.passed, "reasons": list(model.gate.reasons)} if model.gate else {},
        "summary": summary,
    }
