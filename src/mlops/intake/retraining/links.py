"""Links that start a proposed retraining: each is for one proposal, and for every reader of the email."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mlops.links.link import Link, Purpose
from mlops.links.signer import LinkSigner
from mlops.models.intake.retraining import Retraining

LINK_LIFETIME = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class RetrainingLinks:
    """Makes the links of the page of a proposal; `base_url` is its address without the token."""

    base_url: str
    signer: LinkSigner

    def make(self, retraining: Retraining) -> str:
        """Return the link to the page that starts a proposed retraining."""
        link = Link(
            Purpose.RETRAINING,
            retraining.group,
            retraining.retraining_id,
            issued_at=retraining.created_at,
            expires_at=retraining.created_at + LINK_LIFETIME,
        )
        return self.signer.address(self.base_url, link)
