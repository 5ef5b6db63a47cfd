"""The function as SNS starts it, with the secret in moto and an address that notes what it gets."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.send_webhook import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.models.errors import WebhookError
from mlops.use_cases.webhook import delivery
from tests.functions.approval_stage import CONTEXT

URL, KEY = "https://hooks.example.com:8443/services/T0/secret?x=1", "k" * 64
NOW = datetime(2026, 10, 5, 2, tzinfo=UTC)


@dataclass
class Address:
    """An https server: what was asked of it, and how it answers."""

    status: int = 200
    fault: Exception | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, host: str, port: int | None, *, timeout: float) -> Address:
        self.requests.append({"host": host, "port": port, "timeout": timeout})
        return self

    def request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        if self.fault is not None:
            raise self.fault
        self.requests[-1] |= {"method": method, "path": path, "body": body, "headers": headers}

    def getresponse(self) -> Address:
        return self

    def close(self) -> None:
        self.requests[-1]["is_closed"] = True


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Address:
    server = Address()
    monkeypatch.setattr(delivery, "HTTPSConnection", server)
    return server


def send(repository: Path, url: str = URL, **changes: str) -> dict[str, Any]:
    event = json.loads((repository / "events/send_webhook.json").read_text("utf-8"))
    event["Records"][0]["Sns"] |= changes
    secret = json.dumps({"url": url, "key": KEY})
    arn = client("secretsmanager").create_secret(Name=str(changes) + url[-9:], SecretString=secret)["ARN"]
    variables = {"WEBHOOK_SECRET_ARN": arn, "STACK_NAME": "mlops-prod"}
    dependencies = Dependencies("send_webhook", variables, now=lambda: NOW)
    return app.handler(event, CONTEXT, dependencies=dependencies)


def text(address: Address) -> str:
    return str(json.loads(address.requests[-1]["body"])["text"])


def test_the_subject_is_sent_to_the_address_and_nothing_of_the_body(
    aws: None, repository: Path, address: Address
) -> None:
    answer = send(repository)
    (request,) = address.requests
    assert (request["host"], request["port"], request["method"]) == ("hooks.example.com", 8443, "POST")
    assert request["path"] == "/services/T0/secret?x=1"
    assert request["is_closed"]
    assert text(address).splitlines() == [
        "mlops-prod: (medication-adherence) Drift: ALERT",
        "The email of this subject has the details.",
    ]
    assert request["headers"]["X-Mlops-Delivery"] == answer["delivery_id"]


def test_of_an_alarm_its_description_is_sent(aws: None, repository: Path, address: Address) -> None:
    alarm = {"AlarmName": "a", "AlarmDescription": "Read the log.", "NewStateReason": "2.0 > 0 (17/11/26)"}
    send(repository, Subject='ALARM: "a" in EU (Ireland)', Message=json.dumps(alarm))
    assert text(address).splitlines() == ['mlops-prod: ALARM: "a" in EU (Ireland)', "Read the log."]


def test_a_file_name_becomes_no_mention_link_or_markup(aws: None, repository: Path, address: Address) -> None:
    send(repository, Subject="[g] <!channel> [pay](https://evil.example) @all *b* `c`.csv was rejected")
    sent = text(address)
    assert not re.search(r"[<>\[\]*`@&]|://", sent)
    assert "pay" in sent
    send(repository, Subject="x" * 5_000)
    assert len(text(address)) == 1_000


def test_the_sample_of_the_page_verifies_a_request_and_refuses_others(
    aws: None, repository: Path, address: Address
) -> None:
    page = (repository / "docs/how-to/notify-a-channel.md").read_text("utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(block, "notify-a-channel.md", "exec"), names)
    is_genuine = names["is_genuine"]
    send(repository)
    (request,) = address.requests
    body, signature, now = request["body"], request["headers"]["X-Mlops-Signature"], NOW.timestamp()
    assert is_genuine(body, signature, KEY, now=now + 60)
    assert not is_genuine(body + b" ", signature, KEY, now=now)
    assert not is_genuine(body, signature, "other", now=now)
    assert not is_genuine(body, signature, KEY, now=now + timedelta(minutes=6).total_seconds())
    assert not is_genuine(body, signature.replace("t=", "t=1"), KEY, now=now)
    assert not is_genuine(body, "", KEY, now=now)


@pytest.mark.parametrize("status", [302, 307, 400, 404, 429, 500])
def test_an_answer_that_is_no_success_is_an_error_and_no_redirect_is_followed(
    aws: None, repository: Path, address: Address, status: int
) -> None:
    address.status = status
    with pytest.raises(WebhookError, match=f"status {status}"):
        send(repository)
    assert len(address.requests) == 1


@pytest.mark.parametrize("fault", [TimeoutError("timed out"), ConnectionRefusedError(URL)])
def test_an_address_that_does_not_answer_is_an_error_without_the_address(
    aws: None, repository: Path, address: Address, fault: Exception
) -> None:
    address.fault = fault
    with pytest.raises(WebhookError) as error:
        send(repository)
    assert "hooks" not in str(error.value)
    assert address.requests[-1]["is_closed"]


@pytest.mark.parametrize(
    "url", ["http://hooks.example.com/x", "file:///etc/passwd", "https://", "gopher://a/b"]
)
def test_only_https_is_called(aws: None, repository: Path, address: Address, url: str) -> None:
    with pytest.raises(WebhookError, match="not an https address"):
        send(repository, url)
    assert address.requests == []
