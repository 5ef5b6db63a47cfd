"""Metrics that AWS services publish about themselves.

Those of executions are published at each change of status, those of queues every second.
"""

from typing import Any

from ministack.services import cloudwatch, sqs

from local.emulator import wrap
from local.fixes.cloudwatch.ticker import every_tick

_EXECUTION_METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


def install() -> None:
    """Publish both."""
    wrap("stepfunctions._emit_execution_status_event", _counting)
    every_tick(publish_queue_depths)


def publish_queue_depths() -> None:
    """Publish how many messages each queue of the account shows."""
    for queue in list(sqs._queues.values()):
        depth = len([message for message in queue["messages"] if message.get("visible_at", 0) <= _now()])
        dimensions = {"QueueName": queue["name"]}
        cloudwatch.record_metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", depth, "Count", dimensions)


def _now() -> float:
    return float(sqs.time.time())


def _counting(original: Any) -> Any:
    def emit(execution: dict[str, Any]) -> None:
        dimensions = {"StateMachineArn": execution["stateMachineArn"]}
        current = execution["status"]
        for status, name in _EXECUTION_METRICS.items():
            cloudwatch.record_metric("AWS/States", name, float(status == current), "Count", dimensions)
        original(execution)

    return emit
