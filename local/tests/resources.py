"""A role and functions made without a template, for clouds of which a test needs only a few resources."""

import io
import json
import zipfile
from typing import Any

from local import LocalCloud

_SERVICES = ["lambda.amazonaws.com", "states.amazonaws.com", "sagemaker.amazonaws.com"]


def make_role(cloud: LocalCloud) -> str:
    """Make a role that services may assume and that may do everything; return its ARN."""
    trust = [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": _SERVICES}}]
    allow = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="all", AssumeRolePolicyDocument=_policy(trust))
    iam.put_role_policy(RoleName="all", PolicyName="all", PolicyDocument=_policy(allow))
    return str(role["Role"]["Arn"])


def make_function(cloud: LocalCloud, role_arn: str, name: str, program: str) -> str:
    """Make a function whose `handler` is in `program`; return its ARN."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("app.py", program)
    client = cloud.client("lambda")
    made = client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role_arn,
        Handler="app.handler",
        Timeout=60,
        Code={"ZipFile": archive.getvalue()},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    return str(made["FunctionArn"])


def invoke(cloud: LocalCloud, function: str, event: dict[str, Any]) -> Any:
    """Invoke a function and return its answer."""
    answer = cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
