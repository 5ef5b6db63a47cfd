"""The predict API with an issuer of tokens: who gets predictions, and who is refused before the function."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from local.cloud import HttpAnswer
from local.stack import DeployedStack
from tests.e2e.tokens import TokenIssuer, deploy_token_api, new_key, predict_with, token_issuer
from tests.e2e.walks import GROUP, Walk

pytestmark = pytest.mark.e2e

HOUR = 3600


@pytest.fixture(scope="module")
def answers(stack: DeployedStack, champion: Walk) -> Iterator[dict[str, HttpAnswer]]:
    """What the API says to callers with a good token and with others."""
    with token_issuer() as issuer:
        address = deploy_token_api(stack, issuer.address)
        yield {name: predict_with(stack, address, GROUP, token) for name, token in _tokens_of(issuer).items()}


def _tokens_of(issuer: TokenIssuer) -> dict[str, str | None]:
    now = int(time.time())
    good, other = issuer.token(), issuer.token(sub="another system")
    return {
        "good": good,
        "missing": None,
        "no token": "certainly not",
        "expired": issuer.token(iat=now - 2 * HOUR, exp=now - HOUR),
        "not valid yet": issuer.token(nbf=now + HOUR),
        "of another audience": issuer.token(aud="reports"),
        "of another issuer": issuer.token(iss="https://other.example"),
        "of another key": issuer.token(new_key()),
        "changed after the signature": f"{other.rpartition('.')[0]}.{good.rpartition('.')[2]}",
    }


def test_a_good_token_gets_predictions(answers: dict[str, HttpAnswer]) -> None:
    answer = answers["good"]
    assert answer.status == 200, answer.text
    assert len(answer.json()["predictions"]) == 1


def test_every_other_token_is_refused_without_a_reason(answers: dict[str, HttpAnswer]) -> None:
    refused = {name: (answer.status, answer.json()) for name, answer in answers.items() if name != "good"}
    assert set(map(str, refused.values())) == {str((401, {"message": "Unauthorized"}))}, refused
