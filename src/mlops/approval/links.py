"""Signed links: who may answer which request until when, in a token that fits an address.

A token is `<payload>.<signature>`: compact JSON and its HMAC-SHA256, both in base64url without padding.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlops.approval.signing_keys import Keys
from mlops.models.approval import ApprovalRequest, ResultOffer, RetryOffer, RollbackOffer
from mlops.models.errors import ApprovalError

CLOCK_SKEW_SECONDS = 60
TOKEN_LIMIT_CHARACTERS = 1_024
NONCE_LIFETIME_SECONDS = 4 * 3600

type Offer = ApprovalRequest | RollbackOffer | RetryOffer | ResultOffer

_TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})", re.ASCII)
_NONCE = re.compile(r"(\d{1,12})\.([A-Za-z0-9_-]{43})", re.ASCII)


class MalformedTokenError(ApprovalError):
    """The text is not a token."""


class UntrustedTokenError(ApprovalError):
    """The token was not made here, not for this purpose, or not for this request."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a link: purpose, approver, version and bytes, and from when until when."""

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
    """Return the short name of an approver that links contain instead of the address."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:12]


def make_token(
    request: Offer,
    approval_id: str,
    approver: str,
    *,
    keys: Keys,
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


def read_token(token: str, audience: str, *, keys: Keys, now: datetime) -> Claims:
    """Return the claims of a token, after checking signature, audience and time of issue.

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
    """Return the address of the owner of the link, after checking that the link is for this request.

    Raises
    ------
    UntrustedTokenError
        If version, artifact, execution or approver are not those of the request or offer.
    """
    claimed = (claims.id_hash, claims.group, claims.version, claims.binding)
    if claimed != (request.id_hash, request.group, request.version, _binding(request)):
        raise UntrustedTokenError("This link belongs to another request.")
    for approver in request.approvers:
        if hmac.compare_digest(approver_key(approver), claims.approver):
            return approver
    raise UntrustedTokenError("This link does not belong to an approver of this request.")


def make_nonce(claims: Claims, *, keys: Keys, now: datetime) -> str:
    """Return what a page's form must send back: proof that it was shown to the holder of this link, just now.

    It needs no storage: it is bound to the link, runs out after four hours, and is used up by the decision.
    """
    issued_at = str(int(now.timestamp()))
    return f"{issued_at}.{keys.sign(_nonce_text(claims, issued_at))}"


def check_nonce(nonce: str, claims: Claims, *, keys: Keys, now: datetime) -> None:
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


def _binding(request: Offer) -> str:
    return _encode(hashlib.sha256("\n".join(request.bound_to).encode()).digest()[:16])


def _nonce_text(claims: Claims, issued_at: str) -> str:
    return f"nonce\n{claims.audience}\n{claims.id_hash}\n{claims.approver}\n{issued_at}"


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
