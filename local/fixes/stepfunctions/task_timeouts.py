"""Evaluates the time limits of a Task state that are written in JSONata, before the task starts."""

from typing import Any

from ministack.services import stepfunctions

from local.emulator import wrap

_FIELDS = ("TimeoutSeconds", "HeartbeatSeconds")


def install() -> None:
    """Evaluate the limits of every task."""
    wrap("stepfunctions._execute_task", _with_evaluated_limits)


def _with_evaluated_limits(original: Any) -> Any:
    def execute(state: dict[str, Any], raw_input: Any, execution: Any, context: Any) -> Any:
        limits = {
            field: stepfunctions._jsonata_state_field(state, field, "number", raw_input, context)
            for field in _FIELDS
            if isinstance(state.get(field), str)
        }
        return original({**state, **limits}, raw_input, execution, context)

    return execute
