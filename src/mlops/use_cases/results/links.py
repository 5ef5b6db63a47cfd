"""Links to the result of a scored file: each is for one batch, and for every reader of the email."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mlops.links.link import Link, Purpose
from mlops.links.signer import LinkSigner
from mlops.models.objects import ObjectRef
from mlops.models.scoring.batch import BatchSummary

LINK_LIFETIME = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ResultLinks:
    """Makes the links of the result page; `base_url` is its address without the token."""

    base_url: str
    signer: LinkSigner

    def make(self, summary: BatchSummary, now: datetime) -> str:
        """Return the link to the page of a batch, whose subject is the folder with its files."""
        folder = ObjectRef.from_uri(summary.predictions_uri).key.rpartition("/")[0]
        link = Link(Purpose.RESULT, summary.group, folder, issued_at=now, expires_at=now + LINK_LIFETIME)
        return self.signer.address(self.base_url, link)
