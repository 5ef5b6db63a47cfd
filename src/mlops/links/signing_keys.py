"""The keys that sign links, rotated without ending the links that are in emails.

A signature is `<key id>.<HMAC-SHA256>`, so that a link names the key that made it. Those of earlier releases
have no key id; every live key is tried for them.
"""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mlops.models.errors import SettingsError

KEYS_LIFETIME_SECONDS = 60.0
REREADING_SECONDS = 1.0
SIGNATURE_PATTERN = r"(?:[A-Za-z0-9_-]{8}\.)?[A-Za-z0-9_-]{43}"


class Keys(Protocol):
    """What signs texts and verifies signatures."""

    def sign(self, text: str) -> str:
        """Return the signature of the current key."""

    def verify(self, text: str, signature: str) -> bool:
        """Return whether one of the live keys made the signature."""


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The key that signs, first, and those that still verify."""

    keys: tuple[bytes, ...]

    @classmethod
    def from_secret(cls, text: str) -> SigningKeys:
        """Read `{"current": "...", "previous": "..."}`; `previous` may be absent, other entries do not count.

        Raises
        ------
        SettingsError
            If there is no usable `current`.
        """
        try:
            document = json.loads(text)
            entries = [document.get("current"), document.get("previous")]
        except (ValueError, AttributeError):
            entries = [None]
        keys = [key.encode() for key in entries if isinstance(key, str) and key]
        if not keys or not entries[0] or len(keys[0]) < 32:
            raise SettingsError("The signing secret needs an entry `current` of at least 32 characters.")
        return cls(tuple(keys))

    def sign(self, text: str) -> str:
        """Return the signature of the current key."""
        return f"{_key_id(self.keys[0])}.{_mac(self.keys[0], text)}"

    def verify(self, text: str, signature: str) -> bool:
        """Return whether the live key that the signature names made it."""
        key_id, _, mac = signature.rpartition(".")
        named = [key for key in self.keys if key_id in ("", _key_id(key))]
        return any([hmac.compare_digest(_mac(key, text), mac) for key in named])  # noqa: C419


def rotate_secret(text: str, key: str) -> str:
    """Return the secret with `key` as its current one; the one before still verifies, older ones do not.

    Raises
    ------
    SettingsError
        If the secret has no usable key, or the new one is too short.
    """
    current, *_ = SigningKeys.from_secret(text).keys
    rotated = json.dumps({"current": key, "previous": current.decode()})
    SigningKeys.from_secret(rotated)
    return rotated


class RotatingKeys:
    """The live signing keys of a deployment, which change without a new one.

    They are read again every minute, and when they do not know a signature: it may be that of a newer key.
    """

    def __init__(self, read: Callable[[], str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._keys: SigningKeys | None = None
        self._read_at = 0.0

    def sign(self, text: str) -> str:
        """Return the signature of the current key."""
        return self._keys_of_last(KEYS_LIFETIME_SECONDS).sign(text)

    def verify(self, text: str, signature: str) -> bool:
        """Return whether a live key made the signature; forgeries cost one reading a second at most."""
        ages = (KEYS_LIFETIME_SECONDS, REREADING_SECONDS)
        return any(self._keys_of_last(age).verify(text, signature) for age in ages)

    def _keys_of_last(self, seconds: float) -> SigningKeys:
        if self._keys is None or self._clock() - self._read_at > seconds:
            self._keys, self._read_at = SigningKeys.from_secret(self._read()), self._clock()
        return self._keys


def _key_id(key: bytes) -> str:
    return hmac.digest(key, b"key id", "sha256").hex()[:8]


def _mac(key: bytes, text: str) -> str:
    digest = hmac.digest(key, text.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
