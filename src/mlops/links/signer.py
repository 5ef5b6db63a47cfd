"""The one signer of links, and of the forms on the pages behind them.

A token is `<payload>.<signature>`: compact JSON in base64url without padding, and what `SigningKeys` returns
for it. Fields that a link does not have are left out, and fields that a reader does not know are ignored.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mlops.links.link import Link, Purpose
from mlops.links.signing_keys import SIGNATURE_PATTERN, Keys
from mlops.models.errors import MlopsError

CLOCK_SKEW_SECONDS = 60
TOKEN_LIMIT_CHARACTERS = 1_024
NONCE_LIFETIME_SECONDS = 4 * 3600

_TOKEN = re.compile(rf"([A-Za-z0-9_-]+)\.({SIGNATURE_PATTERN})", re.ASCII)
_NONCE = re.compile(rf"(\d{{1,12}})\.({SIGNATURE_PATTERN})", re.ASCII)


class LinkError(MlopsError):
    """A link, or the form of its page, is not accepted."""


class MalformedTokenError(LinkError):
    """The text is not a token."""


class UntrustedTokenError(LinkError):
    """The token was not made here, not for this purpose, or not for what it is used with."""


@dataclass(frozen=True, slots=True)
class LinkSigner:
    """Makes links, reads them again, and protects the forms behind them."""

    keys: Keys

    def address(self, base_url: str, link: Link) -> str:
        """Return the address of a link; `base_url` is that of its page without the token."""
        return f"{base_url.rstrip('/')}/{self.sign(link)}"

    def sign(self, link: Link) -> str:
        """Return the token of a link."""
        body = _encode(json.dumps(_to_payload(link), separators=(",", ":")).encode())
        return f"{body}.{self.keys.sign(body)}"

    def read(self, token: str, purpose: Purpose, *, now: datetime) -> Link:
        """Return the link of a token, after checking signature, purpose and time of issue.

        The end of its time is not checked: who comes late gets a page that says what has expired, and for
        that the link is needed.

        Raises
        ------
        MalformedTokenError
            If the text does not look like a token.
        UntrustedTokenError
            If the signature, the purpose or the time of issue is wrong.
        """
        match = _TOKEN.fullmatch(token) if len(token) <= TOKEN_LIMIT_CHARACTERS else None
        if match is None:
            raise MalformedTokenError("The address does not contain a complete link.")
        body, signature = match.groups()
        if not self.keys.verify(body, signature):
            raise UntrustedTokenError("This link was not made here, or its key has been replaced.")
        payload = _decode_payload(body)
        if payload.get("aud") != purpose:
            raise UntrustedTokenError("This link was made for something else.")
        if payload["iat"] > now.timestamp() + CLOCK_SKEW_SECONDS:
            raise UntrustedTokenError("This link comes from the future.")
        return _from_payload(payload)

    def make_nonce(self, link: Link, *, now: datetime) -> str:
        """Return what a page's form must send back: proof that the holder of this link was shown it just now.

        It needs no storage: it is bound to the link, runs out after four hours, and has no effect once the
        form has done its work.
        """
        issued_at = str(int(now.timestamp()))
        return f"{issued_at}.{self.keys.sign(_nonce_text(link, issued_at))}"

    def check_nonce(self, nonce: str, link: Link, *, now: datetime) -> None:
        """Check a nonce.

        Raises
        ------
        UntrustedTokenError
            If the page was made for another link, or too long ago.
        """
        match = _NONCE.fullmatch(nonce)
        if match is None or not self.keys.verify(_nonce_text(link, match[1]), match[2]):
            raise UntrustedTokenError("This form does not belong to this link. Open the link again.")
        age_seconds = now.timestamp() - int(match[1])
        if not -CLOCK_SKEW_SECONDS <= age_seconds <= NONCE_LIFETIME_SECONDS:
            raise UntrustedTokenError("This page was open for too long. Open the link again.")


def _to_payload(link: Link) -> dict[str, Any]:
    payload = {
        "aud": link.purpose,
        "id": link.subject,
        "group": link.group,
        "version": link.version,
        "for": link.holder,
        "bind": link.binding,
        "iat": int(link.issued_at.timestamp()),
        "exp": int(link.expires_at.timestamp()),
    }
    return {name: value for name, value in payload.items() if value != ""}


def _from_payload(payload: dict[str, Any]) -> Link:
    return Link(
        purpose=Purpose(payload["aud"]),
        group=payload["group"],
        subject=payload["id"],
        issued_at=datetime.fromtimestamp(payload["iat"], UTC),
        expires_at=datetime.fromtimestamp(payload["exp"], UTC),
        version=payload.get("version", ""),
        holder=payload.get("for", ""),
        binding=payload.get("bind", ""),
    )


def _nonce_text(link: Link, issued_at: str) -> str:
    return f"nonce\n{link.purpose}\n{link.subject_hash}\n{link.holder}\n{issued_at}"


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
