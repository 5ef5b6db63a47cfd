"""Tasks that wait for a token: calling, waiting, heartbeats and answers are done here as on AWS."""

import json
import threading
import time
from typing import Any

from ministack.core.responses import error_response_json, new_uuid
from ministack.services import stepfunctions

from local.emulator import wrap
from local.fixes.stepfunctions.running_task import current_task

_POLL_SECONDS = 0.25
_answering = threading.Lock()
_closed_tokens: set[str] = set()


STOPPED = "Local.ExecutionStopped"  # the error of a state whose execution was stopped


def install() -> None:
    """Replace the waiting and the two answers."""
    wrap("stepfunctions._invoke_with_callback", lambda _: _call_and_wait)
    wrap("stepfunctions._find_matching_retrier", _without_stopped)
    wrap("stepfunctions._send_task_success", _answering_once)
    wrap("stepfunctions._send_task_failure", _answering_once)
    wrap("stepfunctions._send_task_heartbeat", _with_refusals)


def _call_and_wait(resource: str, arguments: Any, token: str, state: dict[str, Any]) -> Any:
    waiting = current_task.get()
    task: dict[str, Any] = {"event": threading.Event(), "result": None, "error": None, "heartbeat": None}
    task["execution"] = {"status": "RUNNING"} if waiting is None else waiting.execution
    stepfunctions._task_tokens[token] = task
    try:
        stepfunctions._invoke_resource(resource.replace(".waitForTaskToken", ""), arguments)
        _wait(task, state)
    finally:
        stepfunctions._task_tokens.pop(token, None)
        _closed_tokens.add(token)
        if waiting is not None:
            waiting.context["Task"] = {"Token": new_uuid()}
    if task["error"]:
        error: Any = task["error"]
        raise stepfunctions._ExecutionError(error.get("Error", "TaskFailed"), error.get("Cause", ""))
    return json.loads(str(task["result"]))


def _wait(task: dict[str, Any], state: dict[str, Any]) -> None:
    """Wait for the answer, the end of the execution, the timeout or a missed heartbeat."""
    started = time.monotonic()
    deadline = started + float(state.get("TimeoutSeconds", 99_999_999))
    heartbeat_seconds = state.get("HeartbeatSeconds")
    last_heartbeat, beat_at = task["heartbeat"], started
    running = current_task.get()
    while not task["event"].wait(_POLL_SECONDS):
        now = time.monotonic()
        if now >= deadline:
            raise stepfunctions._ExecutionError("States.Timeout", "")
        if task["heartbeat"] != last_heartbeat:
            last_heartbeat, beat_at = task["heartbeat"], now
        if heartbeat_seconds is not None and now - beat_at >= float(heartbeat_seconds):
            raise stepfunctions._ExecutionError("States.HeartbeatTimeout", "")
        if running is not None and running.execution["status"] != "RUNNING":
            raise stepfunctions._ExecutionError(STOPPED, "The execution was stopped.")


def _without_stopped(original: Any) -> Any:
    """Retry nothing in an execution that was stopped: it would take the task token of the next one."""

    def find(retriers: Any, error: str, retry_counts: Any) -> Any:
        return (None, -1) if error == STOPPED else original(retriers, error, retry_counts)

    return find


def _answering_once(original: Any) -> Any:
    def answer(data: dict[str, Any]) -> Any:
        token = data.get("taskToken", "")
        with _answering:
            refusal = _refusal(token)
            if refusal is not None:
                return refusal
            response = original(data)
            stepfunctions._task_tokens.pop(token, None)
            _closed_tokens.add(token)
        return response

    return answer


def _with_refusals(original: Any) -> Any:
    def heartbeat(data: dict[str, Any]) -> Any:
        refusal = _refusal(data.get("taskToken", ""))
        return original(data) if refusal is None else refusal

    return heartbeat


def _refusal(token: str) -> Any:
    task = stepfunctions._task_tokens.get(token)
    if task is not None and task["execution"]["status"] == "RUNNING":
        return None
    if task is not None or token in _closed_tokens:
        message = "Task Timed Out: 'Provided task does not exist anymore'"
        return error_response_json("TaskTimedOut", message, 400)
    return error_response_json("InvalidToken", "Invalid Token: 'Invalid token'", 400)
