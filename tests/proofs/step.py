"""One run of one function in a process of its own; it can be killed at a call to AWS, or have a call fail."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace
from typing import Any

FUNCTIONS = (
    "receive_upload",
    "prepare_training",
    "register_model",
    "request_approval",
    "decide_approval",
    "promote_model",
    "decline_model",
    "mail_promotion",
    "roll_back_model",
    "watch_approvals",
    "list_parts",
    "survey_part",
    "merge_parts",
    "run_inference",
    "list_ranges",
    "score_range",
    "merge_ranges",
    "check_drift",
    "record_predictions",
    "score_shadow",
    "record_requests",
    "merge_predictions",
    "explain_failure",
    "retry_training",
    "materialize_features",
    "plan_endpoint",
)
_WRITES = ("Put", "Transact", "Update", "Delete", "Copy", "Start", "Send", "Publish", "Upload", "Complete")
CONTEXT = SimpleNamespace(
    function_name="f",
    function_version="1",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:f",
    aws_request_id="request",
    get_remaining_time_in_millis=lambda: 900_000,
)


@dataclass(frozen=True)
class Fault:
    """The fault of call number `call` (from 1): `writes` counts only the calls that change something.

    `kind` is `kill before`, `kill after`, `lost` (done, but the answer never came) or an error code of AWS.
    """

    call: int
    kind: str
    writes: bool = True


def is_write(call: str) -> bool:
    """Return whether a call, such as `s3.PutObject`, changes something."""
    return call.rpartition(".")[2].startswith(_WRITES)


def run(function: str, event: Any, variables: Mapping[str, str], fault: Fault | None, pipe: Any) -> None:
    """Run a function's handler and send (answer, error, calls); a killed run sends nothing."""
    os.environ.update(variables)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the logs of a thousand runs are of no use
    calls: list[str] = []
    _watch(fault, calls)
    app = import_module(f"functions.{function}.app")
    try:
        pipe.send((app.handler(event, CONTEXT), None, calls))
    except Exception as error:  # noqa: BLE001  whatever it is, the caller decides
        pipe.send((None, f"{type(error).__name__}: {error}", calls))


def _watch(fault: Fault | None, calls: list[str]) -> None:
    import boto3

    counted, lock = {"writes": 0, "all": 0}, threading.Lock()

    def is_due(name: str, kinds: tuple[str, ...]) -> bool:
        if fault is None or fault.kind not in kinds:
            return False
        n_calls = counted["writes" if fault.writes else "all"]
        return fault.call == n_calls and (is_write(name) or not fault.writes)

    def before(model: Any, **_: Any) -> Any:
        with lock:
            counted["all"] += 1
            counted["writes"] += is_write(model.name)
            calls.append(f"{model.service_model.service_name}.{model.name}")
        if is_due(model.name, ("kill before",)):
            os.kill(os.getpid(), signal.SIGKILL)
        codes = tuple(ANSWERS)
        return ANSWERS[fault.kind]() if fault and is_due(model.name, codes) else None

    def after(model: Any, **_: Any) -> None:
        if is_due(model.name, ("kill after",)):
            os.kill(os.getpid(), signal.SIGKILL)
        if is_due(model.name, ("lost",)):
            from botocore.exceptions import ReadTimeoutError

            raise ReadTimeoutError(endpoint_url="the service")

    emitter = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
    emitter.register("before-call", before)
    emitter.register("after-call", after)


def _answer(status: int, code: str) -> Any:
    response = SimpleNamespace(status_code=status, headers={}, content=b"", text="")
    return response, {
        "Error": {"Code": code, "Message": f"injected {code}"},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "r"},
    }


def _timeout() -> Any:
    from botocore.exceptions import ConnectTimeoutError

    raise ConnectTimeoutError(endpoint_url="the service")


ANSWERS = {
    "ThrottlingException": lambda: _answer(400, "ThrottlingException"),
    "InternalServerError": lambda: _answer(500, "InternalServerError"),
    "AccessDeniedException": lambda: _answer(403, "AccessDeniedException"),
    "timeout": _timeout,
}
