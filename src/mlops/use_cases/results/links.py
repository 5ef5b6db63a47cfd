"""Links to the result of a scored file: signed like those of approvals, with keys of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mlops.approval.links import Claims, make_token, read_token
from mlops.approval.signing_keys import Keys
from mlops.models.approval import ResultOffer
from mlops.models.objects import ObjectRef
from mlops.models.scoring.batch import MANIFEST, BatchSummary

LINK_LIFETIME = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ResultLinks:
    """Makes the links of the result page; `base_url` is its address without the token."""

    base_url: str
    keys: Keys

    def make(self, summary: BatchSummary, now: datetime) -> str:
        """Return the link to the page of a batch."""
        folder = ObjectRef.from_uri(summary.predictions_uri).key.rpartition("/")[0]
        offer = ResultOffer(summary.group, summary.batch_id, folder, now + LINK_LIFETIME)
        token = make_token(offer, folder, offer.approvers[0], keys=self.keys, now=now)
        return f"{self.base_url.rstrip('/')}/{token}"


def read_result(token: str, *, keys: Keys, now: datetime) -> tuple[Claims, str]:
    """Return the claims of a link and the key of the manifest of its batch.

    Raises
    ------
    MalformedTokenError, UntrustedTokenError
        As `read_token`, which does not check the end of the time either.
    """
    claims = read_token(token, ResultOffer.AUDIENCE, keys=keys, now=now)
    return claims, f"{claims.approval_id}/{MANIFEST}"
