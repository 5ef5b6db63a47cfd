"""SageMaker jobs and endpoints that really run, in subprocesses of this machine.

Hooked into MiniStack's router, IAM enforcement, persistence map and Step Functions, which has no SageMaker.
"""

from types import ModuleType, SimpleNamespace
from typing import Any, cast

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

from local.emulator import wrap
from local.sagemaker import integration, tuning
from local.sagemaker.api import service
from local.sagemaker.endpoints import api as endpoints_api
from local.sagemaker.endpoints import hosting
from local.sagemaker.jobs import job as jobs

TARGET_PREFIX = "SageMaker"


def install() -> None:
    """Make the service reachable by HTTP and from state machines."""
    router.SERVICE_PATTERNS["sagemaker"] = {
        "target_prefixes": [f"{TARGET_PREFIX}."],
        "host_patterns": [r"api\.sagemaker\."],
    }
    app.SERVICE_REGISTRY["sagemaker"] = {"module": "sagemaker"}
    app.SERVICE_HANDLERS["sagemaker"] = service.handle_request
    app._loaded_modules["sagemaker"] = _as_module()
    app._state_map["sagemaker"] = "sagemaker"
    iam_actions.SERVICE_TO_IAM_NAMESPACE["sagemaker"] = "sagemaker"
    wrap("iam_actions.extract_iam_action", _with_invocations)
    wrap("iam_actions.extract_resource_arn", _with_job_arns)
    integration.install()
    stepfunctions._AWS_SDK_SERVICE_MAP["sagemaker"] = {"target_prefix": TARGET_PREFIX, "protocol": "json"}
    stepfunctions._AWS_SDK_ERROR_PREFIX["sagemaker"] = "SageMaker"


def _as_module() -> ModuleType:
    """Return what MiniStack expects of a service module; jobs end with the process, so it has no state."""
    return cast(
        "ModuleType",
        SimpleNamespace(
            handle_request=service.handle_request,
            get_state=lambda: None,
            load_persisted_state=lambda _: None,
            reset=_forget_all,
        ),
    )


def _forget_all() -> None:
    tuning.forget_all()
    jobs.forget_all()
    hosting.forget_all()


def _with_job_arns(original: Any) -> Any:
    def extract(name: str, method: str, path: str, headers: dict[str, str], body: bytes, *others: Any) -> str:
        if name == "sagemaker":
            endpoint = endpoints_api.invoked_endpoint(path)
            if endpoint is not None:
                return f"arn:aws:sagemaker:{get_region()}:{get_account_id()}:endpoint/{endpoint.lower()}"
            operation = headers.get("x-amz-target", "").partition(".")[2]
            return service.resource_of(operation, service.parsed(body), get_region(), get_account_id())
        return str(original(name, method, path, headers, body, *others))

    return extract


def _with_invocations(original: Any) -> Any:
    def extract(name: str, method: str, path: str, *others: Any) -> str | None:
        if name == "sagemaker" and endpoints_api.invoked_endpoint(path) is not None:
            return "sagemaker:InvokeEndpoint"
        action: str | None = original(name, method, path, *others)
        return action

    return extract
