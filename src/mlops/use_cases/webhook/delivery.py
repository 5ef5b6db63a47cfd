"""Signed requests to the one address that a parameter of the stack names."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

from mlops.models.errors import WebhookError

SIGNATURE_HEADER, DELIVERY_HEADER = "X-Mlops-Signature", "X-Mlops-Delivery"
TIMEOUT_SECONDS = 10
_SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address and the key that signs what is sent to it.

    `read_secret` returns both as JSON, `url` and `key`, at each use, so that a replaced key counts at once.
    """

    read_secret: Callable[[], str]
    stack_name: str
    now: Callable[[], datetime]

    def send(self, text: str, delivery_id: str) -> None:
        """Send a text as `{"text": ...}`; a repeated call sends it again, under the same delivery id.

        No redirect is followed, and the answer is not read: nothing else than this address is called.

        Raises
        ------
        WebhookError
            The address is not https, cannot be reached, or did not answer with a status from 200 to 299. The
            message does not contain the address, whose path may be a password.
        """
        secret = json.loads(self.read_secret())
        address = urlsplit(secret["url"])
        if address.scheme != "https" or not address.hostname:
            raise WebhookError("WebhookUrl is not an https address.")
        body = json.dumps({"text": text}).encode()
        timestamp = int(self.now().timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "mlops-webhook",
            SIGNATURE_HEADER: f"t={timestamp},v1={sign(secret['key'], timestamp, body)}",
            DELIVERY_HEADER: delivery_id,
        }
        status = _post(address, body, headers)
        if status not in _SUCCESS:
            raise WebhookError(f"The webhook answered with the status {status}.")


def sign(key: str, timestamp: int, body: bytes) -> str:
    """Return the HMAC-SHA256 of `timestamp.body` as hexadecimal digits; the time is in seconds since 1970."""
    return hmac.new(key.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def _post(address: SplitResult, body: bytes, headers: dict[str, str]) -> int:
    """Return the status of the answer."""
    connection = HTTPSConnection(str(address.hostname), address.port, timeout=TIMEOUT_SECONDS)
    try:
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise WebhookError(f"The webhook cannot be reached: {type(error).__name__}.") from error
    finally:
        connection.close()
