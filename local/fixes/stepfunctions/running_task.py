"""The task in progress in each execution thread, which several corrections need."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ministack.services import stepfunctions

from local.emulator import wrap


@dataclass(frozen=True, slots=True)
class RunningTask:
    """A Task state in progress; the dicts are MiniStack's own and change while it runs."""

    state: dict[str, Any]
    execution: dict[str, Any]
    context: dict[str, Any]

    @property
    def role_arn(self) -> str:
        """The role of the state machine; children of a Distributed Map run under their parent's."""
        machine_arn = str(self.context["StateMachine"]["Id"])
        machine = stepfunctions._state_machines.get(machine_arn) or {}
        return str(machine.get("roleArn", ""))

    @property
    def session_name(self) -> str:
        """The session under which the machine acts: the execution's name."""
        return str(self.context["Execution"]["Name"])[:64]


current_task: ContextVar[RunningTask | None] = ContextVar("current_task", default=None)


def install() -> None:
    """Remember the task in progress in each execution thread (and in the threads that copy its context)."""
    wrap("stepfunctions._execute_task", _remembering)


def _remembering(original: Any) -> Any:
    def execute(
        state_def: dict[str, Any], raw_input: Any, execution: dict[str, Any], ctx: dict[str, Any]
    ) -> Any:
        token = current_task.set(RunningTask(state_def, execution, ctx))
        try:
            return original(state_def, raw_input, execution, ctx)
        finally:
            current_task.reset(token)

    return execute
