"""A request from the loopback address counts as secure transport; any other plain request does not."""

import ipaddress
from typing import Any

from local.emulator import wrap


def install() -> None:
    """Count the loopback interface as a secure transport."""
    wrap("app.pin_request_origin", _loopback_is_secure)


def is_secure(source_ip: str, *, over_tls: bool) -> bool:
    """Tell whether a request from `source_ip` could not be read by another machine on its way."""
    return over_tls or ipaddress.ip_address(source_ip).is_loopback


def _loopback_is_secure(original: Any) -> Any:
    def pin(source_ip: str, over_tls: bool) -> None:  # noqa: FBT001 - MiniStack's signature
        original(source_ip, is_secure(source_ip, over_tls=over_tls))

    return pin
