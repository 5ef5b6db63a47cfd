"""The private names of MiniStack 1.5.33 that `local/` replaces or reads, each with the reason upstream.

This is the only list: `wrap` takes its names from here, and a test compares it with the installed MiniStack
and with every attribute that the modules of `local/` use. A name is written `module._name`, with the modules
of `MODULES`; `module._table[key]` is an entry of a dictionary.
"""

from collections.abc import Mapping
from dataclasses import dataclass

MODULES: Mapping[str, str] = {
    "apigateway": "ministack.services.apigateway",
    "app": "ministack.app",
    "athena": "ministack.services.athena",
    "cloudwatch": "ministack.services.cloudwatch",
    "eventbridge": "ministack.services.eventbridge",
    "iam_actions": "ministack.core.iam_actions",
    "iam_evaluator": "ministack.core.iam_evaluator",
    "iam_service": "ministack.services.iam",
    "lambda_runtime": "ministack.core.lambda_runtime",
    "lambda_svc": "ministack.services.lambda_svc",
    "provisioners": "ministack.services.cloudformation.provisioners",
    "router": "ministack.core.router",
    "s3": "ministack.services.s3",
    "sns": "ministack.services.sns",
    "sqs": "ministack.services.sqs",
    "stacks": "ministack.services.cloudformation.stacks",
    "stepfunctions": "ministack.services.stepfunctions",
    "sts_service": "ministack.services.sts",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which MiniStack differs from AWS.

    Attributes
    ----------
    corrected_in
        The module below `local` whose `install()` removes the difference.
    aws, ministack
        What AWS does, and what MiniStack does.
    wraps
        The names that are replaced.
    """

    corrected_in: str
    aws: str
    ministack: str
    wraps: tuple[str, ...]


# In the order of installation: of two corrections that wrap the same name, the later one is called first.
DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "iam_log",
        aws="CloudTrail records every call, and IAM Access Analyzer names the statements that were used.",
        ministack="Only denials are logged, without the statement.",
        wraps=(
            "iam_evaluator._gather_role_policies",
            "iam_evaluator.evaluate",
            "iam_evaluator.enforce",
        ),
    ),
    Difference(
        "fixes.cloudwatch.alarm_evaluation",
        aws=(
            "An alarm reads the last `EvaluationPeriods` periods of one metric with exactly its "
            "dimensions and unit; `DatapointsToAlarm` of them must breach; missing ones count as "
            "`TreatMissingData` says; the state is evaluated every minute, also when no data arrives."
        ),
        ministack=(
            "All dimension sets are mixed, one statistic is taken over the whole window, "
            "`DatapointsToAlarm` and `TreatMissingData` are ignored, and an alarm is evaluated only when "
            "data arrives, so that it never returns to OK. An alarm on the sum of several metrics is refused."
        ),
        wraps=("cloudwatch._evaluate_alarm", "provisioners._cw_metric_alarm_record"),
    ),
    Difference(
        "fixes.cloudwatch.metric_dimensions",
        aws=(
            "A metric is namespace, name and the exact set of dimensions; a query without dimensions "
            "means the metric that was published without any."
        ),
        ministack=(
            "GetMetricData and GetMetricStatistics without dimensions mix the points of all dimension "
            "sets, so that a metric published twice (per group and overall) counts double."
        ),
        wraps=("cloudwatch._dims_from_list",),
    ),
    Difference(
        "fixes.cloudwatch.namespace_condition",
        aws=(
            "PutMetricData has no resource; a policy narrows it with the condition key "
            "`cloudwatch:namespace`."
        ),
        ministack=(
            "The key is never set, so that such a statement never matches and every publication is denied."
        ),
        wraps=("iam_actions.request_tag_context",),
    ),
    Difference(
        "fixes.cloudwatch.service_metrics",
        aws=(
            "Step Functions publishes ExecutionsStarted, -Succeeded, -Failed, -TimedOut and -Aborted per "
            "state machine; SQS publishes the number of visible messages of each queue."
        ),
        ministack=(
            "Only the metrics of Lambda are published: alarms on failed executions and on dead-letter "
            "queues stay without data."
        ),
        wraps=("stepfunctions._emit_execution_status_event",),
    ),
    Difference(
        "fixes.functions.error_types",
        aws=(
            "`errorType` is the class name of the exception, with `stackTrace` beside it; Step Functions "
            "matches Catch and Retry by that name. A module that cannot be imported is "
            "`Runtime.ImportModuleError`, a missing handler `Runtime.HandlerNotFound`."
        ),
        ministack=(
            "Every exception is `Runtime.HandlerError` (`RuntimeError` when the import fails), so that a "
            "Catch by class never matches."
        ),
        wraps=(
            "lambda_runtime._PYTHON_WORKER_SCRIPT",
            "lambda_runtime.Worker.invoke",
            "lambda_svc._execute_function_warm",
        ),
    ),
    Difference(
        "fixes.functions.shared_layers",
        aws="A layer is unpacked at /opt before the function starts.",
        ministack=(
            "Every worker unpacks every layer into a folder of its own (5-6 s per cold start with the "
            "scientific stack, and as much disk each time), and nothing is at /opt."
        ),
        wraps=("lambda_runtime.Worker._spawn",),
    ),
    Difference(
        "fixes.functions.worker_limit",
        aws=(
            "An account runs 1,000 invocations at once; above that, asynchronous invocations are queued, and "
            "synchronous ones are refused with 429, which clients repeat."
        ),
        ministack=(
            "Each invocation that runs at the same time gets a process, and idle ones stay for minutes: "
            "60 uploads at once take 60 processes and 5 GiB. Events above its own limit are lost."
        ),
        wraps=(
            "lambda_svc._execute_function_warm",
            "lambda_svc.acquire_worker",
            "lambda_svc.invoke_async_with_retry",
            "lambda_svc._inbound_invoke_depth",
        ),
    ),
    Difference(
        "fixes.http_api_routes",
        aws=(
            "`AWS::ApiGatewayV2::Api` with `Body` (what SAM makes of `AWS::Serverless::HttpApi`) creates "
            "one route and one integration per path and method of the document."
        ),
        ministack="`Body` is ignored, so that every request is answered 404.",
        wraps=(
            "provisioners._RESOURCE_HANDLERS[AWS::ApiGatewayV2::Api][create]",
            "provisioners._RESOURCE_HANDLERS[AWS::ApiGatewayV2::Api][update]",
        ),
    ),
    Difference(
        "fixes.mail_delivery",
        aws=(
            "An email subscription stays pending until its owner clicks the link in an email; until then "
            "it receives nothing, and is listed as `PendingConfirmation`. Afterwards every publication "
            "that passes the filter policy is sent as plain text."
        ),
        ministack="Such a subscription is confirmed at once, and an email is a line in the log.",
        wraps=(
            "sns._fanout",
            "sns._subscribe",
            "sns._list_subscriptions",
            "sns._list_subscriptions_by_topic",
            "provisioners._RESOURCE_HANDLERS[AWS::SNS::Topic][create]",
            "provisioners._RESOURCE_HANDLERS[AWS::SNS::Topic][update]",
            "provisioners._RESOURCE_HANDLERS[AWS::SNS::Subscription][create]",
            "provisioners._RESOURCE_HANDLERS[AWS::SNS::Subscription][update]",
        ),
    ),
    Difference(
        "fixes.policy_wildcards",
        aws="A `*` in a policy matches any characters; the key of an object may contain a line break.",
        ministack="A `*` ends at a line break, so that a role may not read an object with one in its key.",
        wraps=("iam_evaluator._fnmatch_compile",),
    ),
    Difference(
        "fixes.topic_policy",
        aws=(
            "The default policy of a topic allows every principal under the condition that "
            "`AWS:SourceOwner` is the account; no call of an IAM role carries that key, so that a role "
            "needs a statement of its own."
        ),
        ministack=(
            "The condition is missing: every role of the account may publish, and a missing `sns:Publish` "
            "is not noticed."
        ),
        wraps=(
            "sns._create_topic",
            "provisioners._RESOURCE_HANDLERS[AWS::SNS::Topic][create]",
            "provisioners._RESOURCE_HANDLERS[AWS::SNS::Topic][update]",
        ),
    ),
    Difference(
        "fixes.schedule_role",
        aws=(
            "A schedule of EventBridge Scheduler calls its target with its role, and replaces "
            "`<aws.scheduler.scheduled-time>` and the other context attributes in `Input`."
        ),
        ministack="The target is called whatever the role allows, and `Input` is handed on unchanged.",
        wraps=("eventbridge._invoke_target",),
    ),
    Difference(
        "fixes.s3.missing_objects",
        aws=(
            "A caller without `s3:ListBucket` gets 403 and not 404 for an object that does not exist, so "
            "that names cannot be probed."
        ),
        ministack="Every caller gets 404, and a role without the permission seems to need none.",
        wraps=(
            "s3._get_object",
            "s3._head_object",
        ),
    ),
    Difference(
        "fixes.s3.version_ranges",
        aws=("GetObject with `versionId` honours `Range`, which is how boto3 downloads objects above 8 MiB."),
        ministack=(
            "Every range of a version is answered with the whole object, so that such a download is corrupt."
        ),
        wraps=("s3._get_object",),
    ),
    Difference(
        "fixes.s3.event_version_id",
        aws=(
            "`detail.object.version-id` of an S3 event on EventBridge is the version of the object, in "
            "buckets with versioning."
        ),
        ministack="It is missing (the notifications to SQS, SNS and Lambda have it).",
        wraps=(
            "s3._fire_s3_event",
            "eventbridge._dispatch_event",
        ),
    ),
    Difference(
        "fixes.s3.secure_transport",
        aws=(
            "`aws:SecureTransport` is true for https requests; a policy that denies all others is good "
            "practice."
        ),
        ministack="With IAM enforced, the same policy denies the plain http requests of a machine to itself.",
        wraps=("app.pin_request_origin",),
    ),
    Difference(
        "fixes.stepfunctions.running_task",
        aws="A service that is called by a task sees the role and the execution of the state machine.",
        ministack="The call of a task does not know its execution.",
        wraps=("stepfunctions._execute_task",),
    ),
    Difference(
        "fixes.stepfunctions.task_timeouts",
        aws=(
            "`TimeoutSeconds` and `HeartbeatSeconds` take a number, or a JSONata expression that evaluates "
            "to one."
        ),
        ministack="The text of the expression is used as a number, so that the state fails.",
        wraps=("stepfunctions._execute_task",),
    ),
    Difference(
        "fixes.stepfunctions.callback_tasks",
        aws=(
            "When the call that hands out a task token fails, the state fails at once. A token is "
            "answered once: a later answer, or one after the end of the state, is `TaskTimedOut`; a "
            "string that never was a token is `InvalidToken`. A retry hands out a new token. "
            "`HeartbeatSeconds` fails the state with States.HeartbeatTimeout."
        ),
        ministack=(
            "An error of the Lambda function that hands out the token is swallowed, so that the execution "
            "waits for ever; two answers in a row are both accepted; every refused token is "
            "`TaskDoesNotExist`; heartbeats do nothing; an aborted execution keeps waiting."
        ),
        wraps=(
            "stepfunctions._find_matching_retrier",
            "stepfunctions._invoke_with_callback",
            "stepfunctions._send_task_success",
            "stepfunctions._send_task_failure",
            "stepfunctions._send_task_heartbeat",
        ),
    ),
    Difference(
        "fixes.stepfunctions.distributed_map",
        aws=(
            "`Arguments` of the ItemReader, `ItemSelector`, `MaxConcurrency`, `Output` and `Assign` of a "
            "Distributed Map are JSONata where the state machine is; its children start without the "
            "variables of their parent. Listing them needs a permission for the Map Run."
        ),
        ministack=(
            "The first two are read as JSONPath templates, the third must be a number, the others are "
            "ignored, and the variables are handed on. The permission is one for `*`."
        ),
        wraps=(
            "stepfunctions._resolve_params_obj",
            "stepfunctions._run_distributed_map",
            "stepfunctions._run_sub_machine",
            "iam_actions.extract_resource_arn",
        ),
    ),
    Difference(
        "fixes.stepfunctions.execution_context",
        aws="`$states.context.Execution` also has `RoleArn` and `RedriveCount` (0 until a redrive).",
        ministack=(
            "It has neither, and a JSONata expression that reads one fails with States.QueryEvaluationError."
        ),
        wraps=("stepfunctions._evaluate_jsonata",),
    ),
    Difference(
        "fixes.stepfunctions.state_machine_role",
        aws=(
            "Every call of a task is made with the role of the state machine, and a denied one fails the "
            "state. A state machine with logging is created only when its role may deliver logs. A "
            "Distributed Map starts its children with states:StartExecution on its own state machine."
        ),
        ministack="The services are called in-process, and the role is never evaluated.",
        wraps=(
            "stepfunctions._invoke_resource",
            "stepfunctions._read_map_items",
            "stepfunctions._run_distributed_map",
            "provisioners._RESOURCE_HANDLERS[AWS::StepFunctions::StateMachine][create]",
            "provisioners._RESOURCE_HANDLERS[AWS::StepFunctions::StateMachine][update]",
        ),
    ),
    Difference(
        "fixes.athena_results",
        aws="GetQueryExecution names the CSV file with the result.",
        ministack="The file is in a folder of the name that it should have.",
        wraps=("athena._save_query_results",),
    ),
    Difference(
        "fixes.stack_events",
        aws="CloudFormation publishes an event for each change of the status of a stack.",
        ministack="The status changes without an event.",
        wraps=("stacks._add_event",),
    ),
    Difference(
        "sagemaker",
        aws=(
            "SageMaker runs training, processing and tuning jobs and endpoints, by its API and from state "
            "machines."
        ),
        ministack="SageMaker is missing.",
        wraps=("iam_actions.extract_iam_action", "iam_actions.extract_resource_arn"),
    ),
)

# Names that are read, called or extended, but not replaced; no public name gives the same.
READ: Mapping[str, str] = {
    "apigateway._apis": "the HTTP APIs, to name one by its title and to link to it",
    "apigateway._integrations": "the integrations of an API, set from its OpenAPI body",
    "apigateway._routes": "the routes of an API, set from its OpenAPI body",
    "app._loaded_modules": "the service modules by name: SageMaker is added",
    "app._state_map": "the services whose state may be stored: SageMaker is added",
    "athena._executions": "the queries with the places of their results",
    "cloudwatch._alarms": "the metric alarms, for the pages",
    "cloudwatch._calc_stats": "the statistics of datapoints, for alarms and charts",
    "cloudwatch._composite_alarms": "the composite alarms, for the pages",
    "cloudwatch._dashboards": "the dashboards, for the pages",
    "cloudwatch._dims_key": "the key of a set of dimensions in the store of metrics",
    "cloudwatch._dispatch_alarm_actions": "performs the actions of an alarm that changed",
    "cloudwatch._evaluate_all_alarms": "evaluates every alarm, called every second",
    "cloudwatch._evaluate_parent_alarms": "evaluates the composite alarms above an alarm",
    "cloudwatch._metrics": "the store of metrics, for alarms and charts",
    "cloudwatch._record_history": "the history of an alarm",
    "cloudwatch._stat_value": "one statistic by its name, percentiles included",
    "eventbridge._put_events": "publishes an event whose source begins with `aws.`",
    "iam_evaluator._POLICY_REQUIRED": "the services in which the resource's own policy must allow as well",
    "iam_evaluator._first_match": "whether a statement matches a request",
    "iam_evaluator._gather_role_policies": "the policies of a role",
    "iam_evaluator._permissions_boundary": "the permissions boundary of a role",
    "iam_evaluator._resolve_managed_policy_document": "the document of a managed policy",
    "iam_evaluator._resource_policy": "the policy of a resource",
    "iam_evaluator._service_principal_matches": "whether a trust policy names a service",
    "iam_service._roles": "the roles of the account",
    "lambda_runtime._PYTHON_WORKER_SCRIPT": "the script of a worker, of which two lines are replaced",
    "lambda_runtime._lock": "guards the pools of workers",
    "lambda_runtime._workers": "the workers of all functions",
    "lambda_svc._functions": "the Lambda functions, for the pages",
    "lambda_svc._resolve_layer_zip": "the archive of a layer",
    "s3._buckets": "the buckets, for the pages",
    "s3._parse_range": "the bounds of a Range header",
    "sns._confirm_subscription": "confirms a subscription by its token",
    "sns._find_subscription": "a subscription by its ARN",
    "sns._matches_filter_policy": "whether a publication passes the filter policy of a subscription",
    "sns._p": "a parameter of a query request",
    "sns._refresh_subscription_counts": "the numbers of confirmed and pending subscriptions of a topic",
    "sns._resolve_message_for_protocol": "the text of a publication for email",
    "sns._topic_by_arn_any_scope": "a topic by its ARN",
    "sns._topics": "the topics",
    "sqs._queues": "the queues, whose depths are published",
    "stepfunctions._AWS_SDK_ERROR_PREFIX": "error names of `aws-sdk:` tasks: SageMaker is added",
    "stepfunctions._AWS_SDK_SERVICE_MAP": "the services of `aws-sdk:` tasks: SageMaker is added",
    "stepfunctions._ExecutionError": "the exception that fails a state",
    "stepfunctions._SERVICE_DISPATCH": "the integrations of tasks: those of SageMaker are added",
    "stepfunctions._apply_jsonata_output": "evaluates `Output`",
    "stepfunctions._apply_jsonata_template": "evaluates a template",
    "stepfunctions._apply_state_assign": "evaluates `Assign`",
    "stepfunctions._convert_keys_to_camel": "the wire form of the arguments of a task",
    "stepfunctions._executions": "the executions, for the pages",
    "stepfunctions._invoke_resource": "performs the call of a task",
    "stepfunctions._jsonata_state_field": "evaluates a field of a state that may be JSONata",
    "stepfunctions._state_machines": "the state machines",
    "stepfunctions._state_query_language": "whether a state is written in JSONata",
    "stepfunctions._task_tokens": "the task tokens that wait for an answer",
}

# Attributes of instances, which only an instance can have.
READ_OF_INSTANCES: Mapping[str, str] = {
    "lambda_runtime.Worker._proc": "the process of a worker, for its CPU time",
}
