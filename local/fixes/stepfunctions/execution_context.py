"""`RoleArn` and `RedriveCount` are added to the context object of Step Functions.

Redrive does not exist locally, so that the count stays 0.
"""

from typing import Any

from ministack.services import stepfunctions

from local.emulator import wrap


def install() -> None:
    """Complete the context before each expression."""
    wrap("stepfunctions._evaluate_jsonata", _with_complete_context)


def _with_complete_context(original: Any) -> Any:
    def evaluate(expression: str, raw_input: Any, ctx: Any = None, *arguments: Any, **keywords: Any) -> Any:
        execution = (ctx or {}).get("Execution")
        if execution is not None and "RedriveCount" not in execution:
            machine = stepfunctions._state_machines.get(ctx["StateMachine"]["Id"]) or {}
            execution["RedriveCount"] = 0
            execution["RoleArn"] = machine.get("roleArn", "")
        return original(expression, raw_input, ctx, *arguments, **keywords)

    return evaluate
