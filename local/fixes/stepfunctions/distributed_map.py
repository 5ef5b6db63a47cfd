"""The fields of a Distributed Map are evaluated as JSONata, and its children start without variables."""

from typing import Any

from ministack.services import stepfunctions

from local.emulator import wrap


def install() -> None:
    """Evaluate the fields of the state, and start the children without variables."""
    wrap("stepfunctions._resolve_params_obj", _with_jsonata)
    wrap("stepfunctions._run_distributed_map", _with_output)
    wrap("stepfunctions._run_sub_machine", _without_variables)


def _is_jsonata(state: dict[str, Any], ctx: Any) -> bool:
    return bool(stepfunctions._state_query_language(state, ctx) == "JSONata")


def _with_jsonata(original: Any) -> Any:
    def resolve(template: Any, effective: Any, ctx: Any = None, *rest: Any, **keywords: Any) -> Any:
        if (ctx or {}).get("QueryLanguage") == "JSONata":
            return stepfunctions._apply_jsonata_template(template, effective, ctx)
        return original(template, effective, ctx, *rest, **keywords)

    return resolve


def _with_output(original: Any) -> Any:
    def run(state: Any, raw_input: Any, effective: Any, iterator: Any, execution: Any, ctx: Any) -> Any:
        result, following = original(state, raw_input, effective, iterator, execution, ctx)
        if not _is_jsonata(state, ctx):
            return result, following
        output = stepfunctions._apply_jsonata_output(state, raw_input, ctx, result=result, default=result)
        stepfunctions._apply_state_assign(state, raw_input, ctx, result=result)
        return output, following

    return run


def _without_variables(original: Any) -> Any:
    def run(states: Any, start_at: Any, input_data: Any, execution: Any, ctx: Any) -> Any:
        if "mapRunArn" in execution:
            ctx = {**ctx, "variables": {}}
        return original(states, start_at, input_data, execution, ctx)

    return run
