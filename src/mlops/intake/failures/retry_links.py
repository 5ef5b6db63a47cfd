"""Links that start a failed training again: each is for one attempt, and for every reader of the email."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mlops.links.link import Link, Purpose
from mlops.links.signer import LinkSigner
from mlops.models.intake.trainings import TrainingFailure

LINK_LIFETIME = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class RetryLinks:
    """Makes the links of the retry page; `base_url` is its address without the token."""

    base_url: str
    signer: LinkSigner

    def make(self, failure: TrainingFailure) -> str:
        """Return the link to the page that starts another attempt after this failure."""
        link = Link(
            Purpose.RETRY,
            failure.group,
            f"{failure.training_id}.{failure.attempt}",
            issued_at=failure.failed_at,
            expires_at=failure.failed_at + LINK_LIFETIME,
        )
        return self.signer.address(self.base_url, link)


def failed_attempt(link: Link) -> tuple[str, int]:
    """Return the training and the attempt that a link of the retry page is for."""
    training_id, _, attempt = link.subject.rpartition(".")
    return training_id, int(attempt)
