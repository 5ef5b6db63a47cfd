"""The role of a state machine.

AWS: every call of a task is made with the machine's role, and a denied one fails the state. A machine with
logging is only created when its role may deliver logs. A Distributed Map starts its children with
states:StartExecution on its own machine.
MiniStack 1.5.33: calls the services in-process and never looks at the role.
Here: the role is asked before each call, with the action and resource that AWS documents for the
integration. A denied Lambda call is `Lambda.AWSLambdaException`, a denied SDK call
`<Service>.<Service>Exception`, as on AWS.
"""

from typing import Any

from ministack.services import stepfunctions
from ministack.services.cloudformation import provisioners

from local.authorization import decide
from local.emulator import wrap
from local.stepfunctions import RunningTask, current_task, follow_tasks
from local.task_permissions import Permission, permissions_of

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
    """Ask the role before every call that a machine makes."""
    follow_tasks()
    wrap(stepfunctions, "_invoke_resource", _authorised)
    wrap(stepfunctions, "_read_map_items", _authorised_reader)
    wrap(stepfunctions, "_run_distributed_map", _authorised_map)
    handlers = provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachine"]
    for name in ("_sfn_state_machine_create", "_sfn_state_machine_update"):
        wrap(provisioners, name, _with_log_delivery)
    handlers["create"] = provisioners._sfn_state_machine_create
    handlers["update"] = provisioners._sfn_state_machine_update


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
                    said = "The state machine IAM Role is not authorized to access the Log Destination"
                    raise ValueError(f"{said} ({action})")
        return original(*arguments, **keywords)

    return create_or_update
