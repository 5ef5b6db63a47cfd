"""At most `LOCAL_MAX_LAMBDA_WORKERS` invocations run, and `LOCAL_MAX_LAMBDA_PROCESSES` processes exist.

An invocation above the limit waits: it is neither refused nor lost. Those whose caller waits for the answer
(an API call, a state machine) go before events. An invocation by a function that waits for it never waits
itself, or both would wait for ever; it runs above the limit. Functions that wait for each other in another
way (by their own HTTP API, say) are recognised by using no CPU time. An idle process is reused by its own
function, and ended when another function needs its place.
"""

from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime

from local.emulator import wrap
from local.fixes.stepfunctions.running_task import current_task
from local.limits import Limit, max_lambda_processes, max_lambda_workers

# A request to the emulator sets it: what runs in its context is waited for. Events run in threads without it.
has_waiting_caller: ContextVar[bool] = ContextVar("lambda_has_waiting_caller", default=False)
is_invoked_by_function: ContextVar[bool] = ContextVar("lambda_is_invoked_by_function", default=False)
_CLOCK_TICKS_PER_SECOND = 100  # in /proc, on every Linux


def install() -> None:
    """Limit the invocations that run, and the processes that exist."""
    limit = Limit(max_lambda_workers(), _used_seconds)
    wrap("lambda_svc._execute_function_warm", lambda original: _limited(original, limit))
    wrap("lambda_svc.acquire_worker", lambda original: _ending_idle_workers(original, max_lambda_processes()))
    wrap("lambda_svc.invoke_async_with_retry", _without_waiting_caller)
    wrap("lambda_svc._inbound_invoke_depth", _remembering_caller)


def _limited(original: Any, limit: Limit) -> Any:
    def execute(function: dict[str, Any], event: Any, request_id: str) -> Any:
        is_waited_for = has_waiting_caller.get() or current_task.get() is not None
        is_nested = has_waiting_caller.get() and is_invoked_by_function.get()
        limit.enter(is_urgent=is_waited_for, is_nested=is_nested)
        try:
            return original(function, event, request_id)
        finally:
            limit.leave()

    return execute


def _remembering_caller(original: Any) -> Any:
    """Remember whether an invocation by API comes from a function: MiniStack's workers send a header."""

    def inbound_depth(headers: dict[str, str]) -> Any:
        is_invoked_by_function.set(lambda_runtime.INVOKE_DEPTH_HEADER.lower() in headers)
        return original(headers)

    return inbound_depth


def _without_waiting_caller(original: Any) -> Any:
    """Run an asynchronous invocation, whose thread copies the context of the request, as an event."""

    def invoke(*arguments: Any, **keywords: Any) -> Any:
        token = has_waiting_caller.set(False)
        try:
            return original(*arguments, **keywords)
        finally:
            has_waiting_caller.reset(token)

    return invoke


def _ending_idle_workers(original: Any, size: int) -> Any:
    def acquire(*arguments: Any, **keywords: Any) -> Any:
        worker, reason = original(*arguments, **keywords)
        if reason == "spawn":  # its process starts with the invocation
            lambda_runtime.kill_workers(_take_surplus(size))
        return worker, reason

    return acquire


def _take_surplus(size: int) -> list[Any]:
    """Remove idle workers, those unused for the longest time first, until `size` are left; return them."""
    with lambda_runtime._lock:
        workers = [worker for pool in lambda_runtime._workers.values() for worker in pool]
        idle = sorted((w for w in workers if not w.in_use), key=lambda worker: worker.last_used)
        surplus = idle[: max(0, len(workers) - size)]
        for key, pool in list(lambda_runtime._workers.items()):
            lambda_runtime._workers[key] = [worker for worker in pool if worker not in surplus]
    return surplus


def _used_seconds() -> float:
    """Return the CPU time of the workers in use; always 0 on systems without /proc."""
    with lambda_runtime._lock:
        processes = [w._proc for pool in lambda_runtime._workers.values() for w in pool if w.in_use]
    return sum(_cpu_seconds(process.pid) for process in processes if process is not None)


def _cpu_seconds(pid: int) -> float:
    try:
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS_PER_SECOND
