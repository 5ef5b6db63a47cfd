"""Executions of the state machines that intake starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops.infrastructure.aws.stepfunctions import (
    Execution,
    execution_arn,
    find_execution,
    start_execution,
    state_machine_of,
)


@dataclass(frozen=True, slots=True)
class StepFunctionsExecutions:
    """Starts the state machines; a function that never starts one of them need not name it."""

    train_model_arn: str
    run_inference_arn: str = ""
    validate_parts_arn: str = ""

    @classmethod
    def beside(cls, execution_arn: str) -> StepFunctionsExecutions:
        """Return what starts trainings in the state machine of an execution."""
        return cls(state_machine_of(execution_arn))

    def start_training(self, name: str, document: Mapping[str, Any]) -> None:
        """Start the train_model machine, once per name."""
        start_execution(self.train_model_arn, name, document)

    def find_training(self, name: str) -> Execution | None:
        """Return a training execution."""
        return find_execution(execution_arn(self.train_model_arn, name))

    def start_validation(self, name: str, document: Mapping[str, Any]) -> None:
        """Start the validate_parts machine, once per name."""
        start_execution(self.validate_parts_arn, name, document)

    def start_inference(self, name: str, document: Mapping[str, Any]) -> None:
        """Start the run_inference machine, once per name."""
        start_execution(self.run_inference_arn, name, document)
