"""Trainings on the stage: recorded, with an execution behind them that goes on or fails."""

from __future__ import annotations

import json
import re
from types import ModuleType
from typing import Any

from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.models.intake.trainings import TrainingFailure, TrainingRecord
from tests.functions.approval_stage import GROUP, Stage, poll

RETRY_URL = "https://api.example.com/retries"
TRAINING = "7d05b2a6" * 4


class TrainingStage:
    """The stage, the trainings of one group, and what the functions around them do."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        stage.variables |= {"RETRY_BASE_URL": RETRY_URL, "TRAIN_MODEL_STATE_MACHINE_ARN": stage.machine}
        self.parts = Dependencies("test", stage.variables)
        self.trainings = self.parts.versions.trainings

    def start(
        self, training_id: str = TRAINING, *, attempt: int = 1, has_execution: bool = True
    ) -> TrainingRecord:
        """Record an attempt, and start its execution."""
        training = TrainingRecord(GROUP, training_id, "5f2a" * 16, "upload-1", {}, self.parts.now(), attempt)
        self.trainings.start(training)
        if has_execution:
            document = json.dumps({"group": GROUP, "training_id": training_id, "seed": 7})
            client("stepfunctions").start_execution(
                stateMachineArn=self.stage.machine, name=training.execution_name, input=document
            )
        return training

    def start_dying(self, training_id: str = TRAINING, **changes: Any) -> TrainingRecord:
        """Start an attempt whose execution ends in a second, without reporting anything."""
        self.stage.machine = self.stage.create_machine("impatient", seconds=1)
        self.stage.variables["TRAIN_MODEL_STATE_MACHINE_ARN"] = self.stage.machine
        training = self.start(training_id, **changes)
        self.stage.execution(training.execution_name)
        return training

    def fail(self, training: TrainingRecord) -> TrainingFailure:
        """Record that an attempt has failed."""
        arn = f"{self.stage.machine.replace(':stateMachine:', ':execution:')}:{training.execution_name}"
        failure = TrainingFailure(
            GROUP,
            training.training_id,
            training.attempt,
            "JobStoppedError",
            "It was killed.",
            self.parts.now(),
            "Train model",
            arn,
        )
        assert self.trainings.fail(failure)
        return failure

    def handle(self, app: ModuleType, event: dict[str, Any]) -> dict[str, Any]:
        """Run a handler as a new worker does."""
        return self.stage.handle(app, event)

    def emails(self) -> list[dict[str, Any]]:
        """Return the emails to the subscribers of the notifications."""
        return self.stage.emails(self.stage.notifications)

    def link(self) -> str:
        """Return the link in the last email."""
        return re.search(rf"^{RETRY_URL}/\S+$", self.emails()[-1]["body"], re.MULTILINE)[0]

    def executions(self) -> set[str]:
        """Return the names of all executions of the machine."""
        states = client("stepfunctions")
        listed = poll(lambda: states.list_executions(stateMachineArn=self.stage.machine), "no list")
        return {execution["name"] for execution in listed["executions"]}
