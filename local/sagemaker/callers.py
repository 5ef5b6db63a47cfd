"""What a caller must be allowed, and a role must trust, before a job starts."""

from collections.abc import Callable
from typing import Any

from local.authorization import role_exists, trusts_service
from local.sagemaker.errors import access_denied, validation_error

Authorise = Callable[[str, str, dict[str, Any]], str | None]
"""May the caller do (action, resource, context)? None, or the sentence why not."""

_SERVICE = "sagemaker.amazonaws.com"


def check_caller(role_arn: str, arn: str, authorise: Authorise, *, has_tags: bool) -> None:
    """Refuse a caller who may not hand over the role or tag the job, and a role that does not trust us."""
    checks: list[tuple[str, str, dict[str, Any]]] = [
        ("iam:PassRole", role_arn, {"iam:PassedToService": _SERVICE})
    ]
    if has_tags:
        checks.append(("sagemaker:AddTags", arn, {}))
    for action, resource, context in checks:
        refusal = authorise(action, resource, context)
        if refusal is not None:
            raise access_denied(refusal)
    if not (role_exists(role_arn) and trusts_service(role_arn, _SERVICE)):
        raise validation_error(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{_SERVICE}' to assume the role."
        )
