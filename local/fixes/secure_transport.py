"""Bucket policies that demand TLS.

AWS: `aws:SecureTransport` is true for https requests, and a policy that denies everything else is good
custom.
MiniStack 1.5.33: with IAM enforced, the same policy shuts out the plain http of a machine talking to
itself.
Here: a request from the loopback address counts as secure; any other plain request does not.
"""

import ipaddress
from typing import Any

from ministack import app

from local.emulator import wrap


def install() -> None:
    """Count the loopback interface as a secure transport."""
    wrap(app, "pin_request_origin", _loopback_is_secure)


def is_secure(source_ip: str, *, over_tls: bool) -> bool:
    """Tell whether a request from `source_ip` could have been read by somebody else on its way."""
    return over_tls or ipaddress.ip_address(source_ip).is_loopback


def _loopback_is_secure(original: Any) -> Any:
    def pin(source_ip: str, over_tls: bool) -> None:  # noqa: FBT001 - MiniStack's signature
        original(source_ip, is_secure(source_ip, over_tls=over_tls))

    return pin
