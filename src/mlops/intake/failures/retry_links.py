"""Links that start a failed training again: signed like those of approvals, and good for one attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mlops.approval.links import Claims, make_token, read_token
from mlops.approval.signing_keys import Keys
from mlops.models.approval import RetryOffer
from mlops.models.intake.trainings import TrainingFailure

OFFER_LIFETIME = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class RetryLinks:
    """Makes and reads the links of the retry page; `base_url` is its address without the token."""

    base_url: str
    keys: Keys

    def make(self, failure: TrainingFailure) -> str:
        """Return the link to the page that starts another attempt after this failure."""
        offer = RetryOffer(
            failure.group, failure.training_id, failure.attempt, failure.failed_at + OFFER_LIFETIME
        )
        token = make_token(offer, offer.offer_id, offer.approvers[0], keys=self.keys, now=failure.failed_at)
        return f"{self.base_url.rstrip('/')}/{token}"


def read_retry(token: str, *, keys: Keys, now: datetime) -> tuple[Claims, int]:
    """Return the claims of a link and the attempt that failed; their `version` is the id of the training.

    Raises
    ------
    MalformedTokenError, UntrustedTokenError
        As `read_token`, which does not check the end of the time either.
    """
    claims = read_token(token, RetryOffer.AUDIENCE, keys=keys, now=now)
    return claims, int(claims.approval_id.rpartition(".")[2])
