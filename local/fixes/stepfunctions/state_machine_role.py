"""The role of a state machine is evaluated before each call of a task.

Checked are the action and the resource that AWS documents for the integration. A denied Lambda call is
`Lambda.AWSLambdaException`, a denied SDK call `<Service>.<Service>Exception`, as on AWS.
"""

from typing import Any

from ministack.services import stepfunctions

from local.authorization import decide
from local.emulator import wrap
from local.fixes.stepfunctions.running_task import RunningTask, current_task
from local.fixes.stepfunctions.task_permissions import Permission, permissions_of

LOG_DELIVERY_ACTIONS = (
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)


def install() -> None:
    """Evaluate the role before every call that a state machine makes."""
    wrap("stepfunctions._invoke_resource", _authorised)
    wrap("stepfunctions._read_map_items", _authorised_reader)
    wrap("stepfunctions._run_distributed_map", _authorised_map)
    for verb in ("create", "update"):
        wrap(f"provisioners._RESOURCE_HANDLERS[AWS::StepFunctions::StateMachine][{verb}]", _with_log_delivery)


def require(task: RunningTask, permissions: list[Permission]) -> None:
    """Fail the state when the machine's role lacks one of these permissions."""
    for permission in permissions:
        decision = decide(
            task.role_arn, task.session_name, permission.action, permission.resource, dict(permission.context)
        )
        if not decision.allowed:
            raise stepfunctions._ExecutionError(permission.error, decision.message)


def _authorised(original: Any) -> Any:
    def invoke(resource: str, input_data: Any) -> Any:
        task = current_task.get()
        if task is not None:
            require(task, permissions_of(resource, input_data))
        return original(resource, input_data)

    return invoke


def _authorised_reader(original: Any) -> Any:
    def read(reader: dict[str, Any], effective: Any, ctx: dict[str, Any]) -> Any:
        arguments = reader.get("Arguments") or reader.get("Parameters") or {}
        if stepfunctions._state_query_language(reader, ctx) == "JSONata":
            arguments = stepfunctions._apply_jsonata_template(arguments, effective, ctx)
        listing = str(reader.get("Resource", "")).endswith(":listObjectsV2")
        bucket = f"arn:aws:s3:::{arguments.get('Bucket')}"
        needed = (
            Permission("s3:ListBucket", bucket, "States.ItemReaderFailed")
            if listing
            else Permission("s3:GetObject", f"{bucket}/{arguments.get('Key')}", "States.ItemReaderFailed")
        )
        require(RunningTask({}, {}, ctx), [needed])
        return original(reader, effective, ctx)

    return read


def _authorised_map(original: Any) -> Any:
    def run(state_def: Any, raw_input: Any, effective: Any, iterator: Any, execution: Any, ctx: Any) -> Any:
        machine = str(ctx["StateMachine"]["Id"])
        needed = [Permission("states:StartExecution", machine, "StepFunctions.AccessDeniedException")]
        require(RunningTask(state_def, execution, ctx), needed)
        return original(state_def, raw_input, effective, iterator, execution, ctx)

    return run


def _with_log_delivery(original: Any) -> Any:
    def create_or_update(*arguments: Any, **keywords: Any) -> Any:
        properties = [argument for argument in arguments if isinstance(argument, dict)][-1]
        logging = properties.get("LoggingConfiguration") or {}
        if str(logging.get("Level", logging.get("level", "OFF"))) != "OFF":
            for action in LOG_DELIVERY_ACTIONS:
                if not decide(properties["RoleArn"], "states.amazonaws.com", action, "*").allowed:
                    reason = "The state machine IAM Role is not authorized to access the Log Destination"
                    raise ValueError(f"{reason} ({action})")
        return original(*arguments, **keywords)

    return create_or_update
