"""Signed links: who may answer which request until when, in a token that fits an address.

A token is `<payload>.<signature>`: compact JSON and its HMAC-SHA256, both in base64url without padding. Two
keys may be live at once, so that keys rotate without killing the links that are in people's mailboxes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlops.errors import ApprovalError
from mlops.models.approval import ApprovalRequest, RollbackOffer

CLOCK_SKEW_SECONDS = 60
TOKEN_LIMIT_CHARACTERS = 1_024
NONCE_LIFETIME_SECONDS = 4 * 3600
KEYS_LIFETIME_SECONDS = 60.0

_TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})", re.ASCII)
_NONCE = re.compile(r"(\d{1,12})\.([A-Za-z0-9_-]{43})", re.ASCII)


class MalformedTokenError(ApprovalError):
    """The text is no token at all."""


class UntrustedTokenError(ApprovalError):
    """The token was not made here, not for this purpose, or not for this request."""


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The key that signs, first, and those that still verify."""

    keys: tuple[bytes, ...]

    @classmethod
    def from_secret(cls, text: str) -> SigningKeys:
        """Read `{"current": "...", "previous": "..."}`; `previous` may be absent, other entries do not count.

        Raises
        ------
        ApprovalError
            If there is no usable `current`.
        """
        try:
            document = json.loads(text)
            found = [document.get("current"), document.get("previous")]
        except (ValueError, AttributeError):
            found = [None]
        keys = [key.encode() for key in found if isinstance(key, str) and key]
        if not keys or not found[0] or len(keys[0]) < 32:
            raise ApprovalError("The signing secret needs an entry `current` of at least 32 characters.")
        return cls(tuple(keys))

    def sign(self, text: str) -> str:
        """Return the signature of the current key."""
        return _mac(self.keys[0], text)

    def verify(self, text: str, signature: str) -> bool:
        """Tell whether one of the live keys made the signature; takes the same time whichever it is."""
        return any([hmac.compare_digest(_mac(key, text), signature) for key in self.keys])  # noqa: C419


def rotate_secret(text: str, key: str) -> str:
    """Return the secret with `key` as its current one; the one before still verifies, older ones do not.

    Raises
    ------
    ApprovalError
        If the secret has no usable key, or the new one is too short.
    """
    current, *_ = SigningKeys.from_secret(text).keys
    rotated = json.dumps({"current": key, "previous": current.decode()})
    SigningKeys.from_secret(rotated)
    return rotated


class RotatingKeys:
    """The live signing keys, read again every minute so that a rotation arrives without a deployment."""

    def __init__(self, read: Callable[[], str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._keys: SigningKeys | None = None
        self._read_at = 0.0

    def __call__(self) -> SigningKeys:
        """Return the keys, at most `KEYS_LIFETIME_SECONDS` old."""
        if self._keys is None or self._clock() - self._read_at > KEYS_LIFETIME_SECONDS:
            self._keys, self._read_at = SigningKeys.from_secret(self._read()), self._clock()
        return self._keys


@dataclass(frozen=True, slots=True)
class Claims:
    """What a link says: for what, whose it is, for which version and bytes, from when and until when."""

    audience: str
    approval_id: str
    group: str
    version: str
    approver: str
    binding: str
    issued_at: int
    expires_at: int

    @property
    def id_hash(self) -> str:
        """The name under which the request is stored."""
        return hash_id(self.approval_id)


def hash_id(approval_id: str) -> str:
    """Return the SHA-256 of a request's id, in hex."""
    return hashlib.sha256(approval_id.encode()).hexdigest()


def approver_key(email: str) -> str:
    """Return the short name of an approver that stands in links in place of the address."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:12]


def make_token(
    request: ApprovalRequest | RollbackOffer,
    approval_id: str,
    approver: str,
    *,
    keys: SigningKeys,
    now: datetime,
) -> str:
    """Return the personal token of one approver for one request or offer."""
    payload = {
        "aud": request.AUDIENCE,
        "id": approval_id,
        "group": request.group,
        "version": request.version,
        "for": approver_key(approver),
        "bind": _binding(request),
        "iat": int(now.timestamp()),
        "exp": int(request.expires_at.timestamp()),
    }
    body = _encode(json.dumps(payload, separators=(",", ":")).encode())
    return f"{body}.{keys.sign(body)}"


def read_token(token: str, audience: str, *, keys: SigningKeys, now: datetime) -> Claims:
    """Return what a token says, after checking that it was made here, for this audience and not for later.

    The end of its time is not checked: who comes late gets a friendly page, and for that the claims are
    needed.

    Raises
    ------
    MalformedTokenError
        If the text does not look like a token.
    UntrustedTokenError
        If the signature, the audience or the time of issue is wrong.
    """
    match = _TOKEN.fullmatch(token) if len(token) <= TOKEN_LIMIT_CHARACTERS else None
    if match is None:
        raise MalformedTokenError("This is not an approval link.")
    body, signature = match.groups()
    if not keys.verify(body, signature):
        raise UntrustedTokenError("This link was not made here, or its key has been replaced.")
    payload = _decode_payload(body)
    if payload.get("aud") != audience:
        raise UntrustedTokenError("This link was made for something else.")
    if payload["iat"] > now.timestamp() + CLOCK_SKEW_SECONDS:
        raise UntrustedTokenError("This link comes from the future.")
    return Claims(
        audience=audience,
        approval_id=payload["id"],
        group=payload["group"],
        version=payload["version"],
        approver=payload["for"],
        binding=payload["bind"],
        issued_at=payload["iat"],
        expires_at=payload["exp"],
    )


def find_approver(claims: Claims, request: ApprovalRequest | RollbackOffer) -> str:
    """Return the address of the approver whose link it is, after checking that the link is for this request.

    Raises
    ------
    UntrustedTokenError
        If version, artifact, execution or approver are not those of the request or offer.
    """
    told = (claims.id_hash, claims.group, claims.version, claims.binding)
    if told != (request.id_hash, request.group, request.version, _binding(request)):
        raise UntrustedTokenError("This link belongs to another request.")
    for approver in request.approvers:
        if hmac.compare_digest(approver_key(approver), claims.approver):
            return approver
    raise UntrustedTokenError("This link belongs to nobody who was asked.")


def make_nonce(claims: Claims, *, keys: SigningKeys, now: datetime) -> str:
    """Return what a page's form must send back: proof that it was shown to the holder of this link, just now.

    It needs no storage: it is bound to the link, runs out after four hours, and is used up by the decision.
    """
    issued_at = str(int(now.timestamp()))
    return f"{issued_at}.{keys.sign(_nonce_text(claims, issued_at))}"


def check_nonce(nonce: str, claims: Claims, *, keys: SigningKeys, now: datetime) -> None:
    """Check a nonce.

    Raises
    ------
    UntrustedTokenError
        If the page was made for another link, or too long ago.
    """
    match = _NONCE.fullmatch(nonce)
    if match is None or not keys.verify(_nonce_text(claims, match[1]), match[2]):
        raise UntrustedTokenError("This form does not belong to this link. Open the link again.")
    age_seconds = now.timestamp() - int(match[1])
    if not -CLOCK_SKEW_SECONDS <= age_seconds <= NONCE_LIFETIME_SECONDS:
        raise UntrustedTokenError("This page was open for too long. Open the link again.")


def _binding(request: ApprovalRequest | RollbackOffer) -> str:
    return _encode(hashlib.sha256("\n".join(request.bound_to).encode()).digest()[:16])


def _nonce_text(claims: Claims, issued_at: str) -> str:
    return f"nonce\n{claims.audience}\n{claims.id_hash}\n{claims.approver}\n{issued_at}"


def _mac(key: bytes, text: str) -> str:
    return _encode(hmac.digest(key, text.encode(), "sha256"))


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode_payload(body: str) -> dict[str, Any]:
    try:
        payload = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (binascii.Error, ValueError) as error:
        raise UntrustedTokenError("This link was made for something else.") from error
    if not isinstance(payload, dict):
        raise UntrustedTokenError("This link was made for something else.")
    return payload
