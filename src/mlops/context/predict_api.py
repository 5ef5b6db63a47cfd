"""Predictions from the API of a deployed stack."""

from __future__ import annotations

import json
from urllib.parse import quote

from mlops.infrastructure.aws.signed_http import HttpAnswer, post_json
from mlops.models.errors import ModelNotFoundError, RequestError, RequestTooLargeError, ScoringError
from mlops.models.scoring.answer import PredictionAnswer, PredictionRequest

_ERRORS: dict[int, type[Exception]] = {
    400: RequestError,
    404: ModelNotFoundError,
    413: RequestTooLargeError,
}
_ADVICE = {
    401: " The API expects a token (JWT); call it with one.",
    403: " Attach the policy of the output PredictCallerPolicyArn to your user or role.",
    429: " Too many requests at once; try again later.",
}


def request_predictions(url: str, group: str, request: PredictionRequest) -> PredictionAnswer:
    """Send rows to the API and return its answer.

    Raises
    ------
    ModelNotFoundError, RequestError, RequestTooLargeError
        What the API says of the request.
    ScoringError
        If it does not answer with predictions for another reason.
    """
    body = json.dumps(request.to_dict(), allow_nan=False).encode()
    answer = post_json(f"{url}/groups/{quote(group, safe='')}/predict", body)
    if answer.status == 200:
        return PredictionAnswer.from_json(answer.body)
    raise _ERRORS.get(answer.status, ScoringError)(_sentence(answer))


def _sentence(answer: HttpAnswer) -> str:
    try:
        message = str(json.loads(answer.body)["message"])
    except (ValueError, KeyError, TypeError):
        message = "no reason was given"
    if answer.status in (400, 404, 413):
        return message
    return f"The API answered with {answer.status}: {message.rstrip('.')}.{_ADVICE.get(answer.status, '')}"
