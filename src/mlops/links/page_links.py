"""Links of one page that are for every reader of their email."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mlops.links.link import LIFETIMES, Link, Purpose
from mlops.links.signer import LinkSigner


@dataclass(frozen=True, slots=True)
class PageLinks:
    """Makes the links of one page; `base_url` is its address without the token."""

    base_url: str
    signer: LinkSigner
    purpose: Purpose

    def make(self, group: str, subject: str, issued_at: datetime) -> str:
        """Return the address of the page with a link to what `subject` names."""
        expires_at = issued_at + LIFETIMES[self.purpose]
        link = Link(self.purpose, group, subject, issued_at=issued_at, expires_at=expires_at)
        return self.signer.address(self.base_url, link)
