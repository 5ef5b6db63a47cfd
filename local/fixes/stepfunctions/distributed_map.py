"""The fields of a Distributed Map are evaluated as JSONata, and its children start without variables.

A role is asked for the Map Run whose executions are listed.
"""

import json
from typing import Any

from ministack.services import stepfunctions

from local.emulator import wrap


def install() -> None:
    """Evaluate the fields of the state, and start the children without variables."""
    wrap("stepfunctions._resolve_params_obj", _with_jsonata)
    wrap("stepfunctions._run_distributed_map", _with_output)
    wrap("stepfunctions._run_sub_machine", _without_variables)
    wrap("iam_actions.extract_resource_arn", _with_map_runs)


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
        if not _is_jsonata(state, ctx):
            return original(state, raw_input, effective, iterator, execution, ctx)
        most = stepfunctions._apply_jsonata_template(state.get("MaxConcurrency", 0), effective, ctx)
        state = {**state, "MaxConcurrency": most}
        result, following = original(state, raw_input, effective, iterator, execution, ctx)
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


def _with_map_runs(original: Any) -> Any:
    def extract(name: str, method: str, path: str, headers: Any, body: bytes, *others: Any) -> str:
        if name == "states" and b'"mapRunArn"' in body:
            return str(json.loads(body)["mapRunArn"])
        return str(original(name, method, path, headers, body, *others))

    return extract
