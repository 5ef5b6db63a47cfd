"""The predict API as a deployment with an issuer of tokens has it, and such an issuer on this machine."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from local.cloud import HttpAnswer
from local.stack import DeployedStack
from tests.e2e.walks import EXAMPLE
from tests.infrastructure import template as t
from tests.web_server import Handler, serving

AUDIENCE = "predictions"
_KEY_ID = "first"
_API_STACK = "predict-api-with-tokens"
_BESIDE_THE_API = ("PredictApiLogGroup", "PredictPermission")


@dataclass(frozen=True)
class TokenIssuer:
    """Signs tokens with its key; `address` serves the documents by which an API finds the public half."""

    address: str
    key: rsa.RSAPrivateKey

    def token(self, key: rsa.RSAPrivateKey | None = None, **claims: Any) -> str:
        """A token for an hour and the audience of the API; `claims` replace these, another key forges it."""
        now = int(time.time())
        payload = {"iss": self.address, "aud": AUDIENCE, "sub": "a system", "iat": now, "exp": now + 3600}
        header = {"alg": "RS256", "typ": "JWT", "kid": _KEY_ID}
        signed = f"{_encoded_json(header)}.{_encoded_json(payload | claims)}"
        signature = (key or self.key).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encoded(signature)}"


@contextmanager
def token_issuer() -> Iterator[TokenIssuer]:
    """Serve the documents of an issuer with a new key on 127.0.0.1."""
    key = new_key()
    documents: dict[str, Any] = {}

    class Issuer(Handler):
        def reply(self, body: bytes) -> None:
            status = 200 if self.path in documents else 404
            self.answer(status, json.dumps(documents.get(self.path, {})).encode())

    with serving(Issuer) as address:
        documents["/.well-known/openid-configuration"] = {"issuer": address, "jwks_uri": f"{address}/keys"}
        documents["/keys"] = {"keys": [_public(key)]}
        yield TokenIssuer(address, key)


def new_key() -> rsa.RSAPrivateKey:
    """Return a new key of 2,048 bits."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def deploy_token_api(stack: DeployedStack, issuer: str) -> str:
    """Deploy the API of the template again, with an issuer, before the same function; return its address."""
    functions = stack.cloud.client("lambda").list_functions()["Functions"]
    (function,) = (f for f in functions if "-PredictFunction-" in f["FunctionName"])
    formation = stack.cloud.client("cloudformation")
    formation.create_stack(
        StackName=_API_STACK,
        TemplateBody=_api_template(function["FunctionArn"]),
        Parameters=[
            {"ParameterKey": "PredictJwtIssuer", "ParameterValue": issuer},
            {"ParameterKey": "PredictJwtAudience", "ParameterValue": AUDIENCE},
            {"ParameterKey": "ApproverEmail", "ParameterValue": "ada@example.com"},
        ],
    )
    formation.get_waiter("stack_create_complete").wait(
        StackName=_API_STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    (described,) = formation.describe_stacks(StackName=_API_STACK)["Stacks"]
    return str({o["OutputKey"]: o["OutputValue"] for o in described["Outputs"]}["PredictUrl"])


def predict_with(stack: DeployedStack, address: str, group: str, token: str | None) -> HttpAnswer:
    """Send a row of the example to the API, with a token or without."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    rows = json.loads(pd.read_csv(EXAMPLE / "score.csv").head(1).to_json(orient="records"))
    body = json.dumps({"rows": rows, "record": False}).encode()
    return stack.cloud.request("POST", f"{address}/groups/{group}/predict", body, headers)


def _api_template(function_arn: str) -> str:
    """Return the parts of the template that make the API, with the address of a deployed function."""
    whole = t.template()
    of_the_api = {
        name: resource
        for name, resource in whole["Resources"].items()
        if resource["Type"].startswith("AWS::ApiGatewayV2::") or name in _BESIDE_THE_API
    }
    document = {
        "Parameters": whole["Parameters"],
        "Conditions": whole["Conditions"],
        "Resources": of_the_api,
        "Outputs": {"PredictUrl": {"Value": whole["Outputs"]["PredictUrl"]["Value"]}},
    }
    text = json.dumps(document)
    for reference in ({"Fn::GetAtt": ["PredictFunction", "Arn"]}, {"Ref": "PredictFunction"}):
        text = text.replace(json.dumps(reference), json.dumps(function_arn))
    return text


def _public(key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {
        "kty": "RSA",
        "alg": "RS256",
        "use": "sig",
        "kid": _KEY_ID,
        "n": _encoded(numbers.n.to_bytes(256, "big")),
        "e": _encoded(numbers.e.to_bytes(3, "big")),
    }


def _encoded_json(document: dict[str, Any]) -> str:
    return _encoded(json.dumps(document).encode())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
