"""May this role do that? Decided for services that act under a role: state machines, jobs, schedules."""

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam as iam_service
from ministack.services import sts as sts_service

from local import iam_log


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, with the sentence that AWS would give."""

    allowed: bool
    principal: str
    action: str
    resource: str

    @property
    def message(self) -> str:
        """What a denied caller reads."""
        return (
            f"User: {self.principal} is not authorized to perform: {self.action} "
            f"on resource: {self.resource} because no identity-based policy allows the {self.action} action"
        )


def role_name(role_arn: str) -> str:
    """Return the name in a role ARN, which may carry a path."""
    return role_arn.rsplit("/", 1)[-1]


def session_arn(role_arn: str, session_name: str) -> str:
    """Return the ARN under which a service acts with a role."""
    return f"arn:aws:sts::{get_account_id()}:assumed-role/{role_name(role_arn)}/{session_name}"


def role_exists(role_arn: str) -> bool:
    """Tell whether the account has this role."""
    return iam_service._roles.get_scoped(get_account_id(), None, role_name(role_arn)) is not None


def trusts_service(role_arn: str, service_principal: str) -> bool:
    """Tell whether the role's trust policy lets a service (`sagemaker.amazonaws.com`) assume it."""
    role = iam_service._roles.get_scoped(get_account_id(), None, role_name(role_arn)) or {}
    document = role.get("AssumeRolePolicyDocument") or {}
    if isinstance(document, str):
        document = json.loads(document)
    statements = document.get("Statement", [])
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal", {})
        if statement.get("Effect") == "Allow" and iam_evaluator._service_principal_matches(
            principal, service_principal
        ):
            return True
    return False


def decide(
    role_arn: str,
    session_name: str,
    action: str,
    resource: str,
    context: dict[str, Any] | None = None,
) -> Decision:
    """Evaluate the role's policies, boundary and the resource's own policy, and log the decision."""
    name, account = role_name(role_arn), get_account_id()
    principal = session_arn(role_arn, session_name)
    evaluation = iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        secure_transport=True,
        service_context={key.lower(): value for key, value in (context or {}).items()},
    )
    trace = iam_log.start_trace()
    try:
        limits = iam_evaluator._permissions_boundary(iam_service._roles, name, account)
        result = iam_evaluator.evaluate(
            evaluation, iam_evaluator._gather_role_policies(name, account), *limits
        )
        service = action.partition(":")[0]
        resource_policy = iam_evaluator._resource_policy(service, resource)
        if resource_policy is not None:
            required = service in iam_evaluator._POLICY_REQUIRED
            result = iam_evaluator.combine_resource_policy(
                result, evaluation, *resource_policy, required=required, limits=limits
            )
    finally:
        iam_log.stop_trace()
    allowed = result.decision == "Allow"
    iam_log.record(principal, action, resource, allowed=allowed, source="service", trace=trace)
    return Decision(allowed, principal, action, resource)


def session_credentials(
    role_arn: str, session_name: str, lifetime_seconds: int = 12 * 3600
) -> dict[str, str]:
    """Open a session of a role, as services do for the code they run; return boto3 client arguments."""
    digest = hashlib.sha256(f"{role_arn}:{session_name}:{time.time_ns()}".encode()).hexdigest()
    access_key, secret, token = f"ASIA{digest[:16].upper()}", digest[16:56], digest[::-1]
    sts_service.register_session(
        access_key,
        {
            "Arn": session_arn(role_arn, session_name),
            "UserId": f"{role_name(role_arn)}:{session_name}",
            "SecretAccessKey": secret,
            "SessionToken": token,
            "Expiration": time.time() + lifetime_seconds,
        },
    )
    return {"aws_access_key_id": access_key, "aws_secret_access_key": secret, "aws_session_token": token}
