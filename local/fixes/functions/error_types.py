"""The error type of a Lambda function that raised.

The worker script reports the class of the exception, and the result carries it; the log of the function names
it too.
"""

from contextvars import ContextVar
from typing import Any

from ministack.core import lambda_runtime

from local.emulator import replace_text, wrap

_INIT_PREFIX = "Worker init failed: "
_reported: ContextVar[dict[str, Any] | None] = ContextVar("lambda_reported_error", default=None)

_HANDLER_ERROR = (
    '_real_stdout.write(json.dumps({"status": "error", "error": str(e),'
    ' "trace": traceback.format_exc()}) + "\\n")'
)
_TYPED_HANDLER_ERROR = (
    '_real_stdout.write(json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc(),'
    ' "error_type": type(e).__name__, "stack": traceback.format_tb(e.__traceback__)[1:]}) + "\\n")'
)
_INIT_ERROR = '_real_stdout.write(json.dumps({"status": "error", "error": str(e)}) + "\\n")'
_TYPED_INIT_ERROR = """traceback.print_exc()
        if isinstance(e, ImportError):
            _said = "Runtime.ImportModuleError: Unable to import module '%s': %s" % (module_name, e)
        elif isinstance(e, AttributeError) and handler_name in str(e):
            _said = "Runtime.HandlerNotFound: Handler '%s' missing on module '%s'"
            _said = _said % (handler_name, module_name)
        else:
            _said = "%s: %s" % (type(e).__name__, e)
        _real_stdout.write(json.dumps({"status": "error", "error": _said}) + "\\n")"""


def install() -> None:
    """Make worker and dispatcher carry the class of the exception."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    script = replace_text(script, _HANDLER_ERROR, _TYPED_HANDLER_ERROR)
    script = replace_text(script, _INIT_ERROR, _TYPED_INIT_ERROR)
    wrap("lambda_runtime._PYTHON_WORKER_SCRIPT", lambda _: script)
    wrap("lambda_runtime.Worker.invoke", _reporting)
    wrap("lambda_svc._execute_function_warm", _with_error_type)


def _reporting(original: Any) -> Any:
    def invoke(self: Any, *arguments: Any, **keywords: Any) -> Any:
        response = original(self, *arguments, **keywords)
        _reported.set(response if response.get("error_type") else None)
        return response

    return invoke


def _with_error_type(original: Any) -> Any:
    def execute(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        _reported.set(None)
        result: dict[str, Any] = original(function, event, request_id)
        body = result.get("body")
        if not (result.get("error") and isinstance(body, dict)):
            return result
        response, message = _reported.get(), str(body.get("errorMessage", ""))
        if response is not None:
            body["errorType"] = response["error_type"]
            body["requestId"] = request_id
            body["stackTrace"] = response["stack"]
        elif message.startswith(_INIT_PREFIX):
            body["errorType"], _, body["errorMessage"] = message.removeprefix(_INIT_PREFIX).partition(": ")
        elif message.startswith(("Worker process died", "Worker process exited")):
            body["errorType"] = "Runtime.ExitError"
        if not result.get("log"):
            result["log"] = f"[ERROR] {body.get('errorType')}: {body.get('errorMessage')}"
        return result

    return execute
