"""The REST API of an MLflow tracking server, with nothing but the standard library."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from mlops.models.errors import MlflowError

_MISSING = "RESOURCE_DOES_NOT_EXIST"


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to sign in, from the variables of MLflow's own client: by token, or by name and password."""

    mlflow_tracking_token: str = ""
    mlflow_tracking_username: str = ""
    mlflow_tracking_password: str = ""

    def headers(self) -> dict[str, str]:
        """Return the headers that sign a request; none when nothing is set."""
        if self.mlflow_tracking_token:
            return {"Authorization": f"Bearer {self.mlflow_tracking_token}"}
        if not self.mlflow_tracking_username:
            return {}
        pair = f"{self.mlflow_tracking_username}:{self.mlflow_tracking_password}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


class MlflowServer:
    """One tracking server.

    Nothing is tried again here: an export is completed by running it again.

    Raises
    ------
    MlflowError
        If the address does not begin with `http://` or `https://`.
    """

    def __init__(
        self, address: str, *, credentials: Credentials | None = None, timeout_seconds: float = 30
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise MlflowError(
                f"{address!r} is not the address of an MLflow server; use one like http://127.0.0.1:5000."
            )
        self.address = address.rstrip("/")
        self._headers = (credentials or Credentials()).headers() | {"Content-Type": "application/json"}
        self._timeout_seconds = timeout_seconds

    def post(self, method: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Call a method such as `runs/create` and return its answer.

        Raises
        ------
        MlflowError
            If the server refuses it or does not answer.
        """
        body = json.dumps(document, allow_nan=False).encode()
        answer = self._call(Request(self._url(method), body, self._headers))  # noqa: S310  scheme checked above
        if answer is None:
            raise MlflowError(f"MLflow at {self.address} does not have what {method} asks for.")
        return answer

    def get(self, method: str, query: Mapping[str, str]) -> dict[str, Any] | None:
        """Call a method that only reads; None when what it asks for does not exist.

        Raises
        ------
        MlflowError
            If the server refuses it or does not answer.
        """
        url = f"{self._url(method)}?{urlencode(query)}"
        return self._call(Request(url, headers=self._headers))  # noqa: S310  scheme checked above

    def _url(self, method: str) -> str:
        return f"{self.address}/api/2.0/mlflow/{method}"

    def _call(self, request: Request) -> dict[str, Any] | None:
        try:
            with urlopen(request, timeout=self._timeout_seconds) as response:  # noqa: S310  scheme checked above
                answer: dict[str, Any] = json.loads(response.read())
        except HTTPError as error:
            with error:
                return self._explain(error)
        except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
            reason = getattr(error, "reason", error)
            raise MlflowError(
                f"MLflow at {self.address} does not answer ({reason}); is it running?"
            ) from error
        except ValueError as error:
            raise MlflowError(f"The server at {self.address} is not an MLflow server.") from error
        return answer

    def _explain(self, error: HTTPError) -> dict[str, Any] | None:
        """Return None for a miss; raise everything else in the server's words."""
        text = error.read().decode(errors="replace")
        try:
            answer = json.loads(text)
        except ValueError:
            answer = {}
        if answer.get("error_code") == _MISSING:
            return None
        what = answer.get("message") or text[:200] or error.reason
        raise MlflowError(f"MLflow at {self.address} refused ({error.code}): {what}") from error
