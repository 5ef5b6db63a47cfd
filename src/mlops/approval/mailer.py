"""Personal emails to approvers, each with a link that only its receiver gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from mlops.approval.links import make_link
from mlops.infrastructure.aws.sns import confirmed_emails, send_email
from mlops.links.signer import LinkSigner
from mlops.models.approval import ApprovalRequest, RollbackOffer


@dataclass(frozen=True, slots=True)
class Mailer:
    """Sends emails to approvers.

    `topic_arn` is the topic whose subscriptions filter on the attribute `approver`; `base_url` is the address
    of the page without the token, such as `https://.../approvals`.
    """

    topic_arn: str
    base_url: str
    signer: LinkSigner

    def approvers(self) -> list[str]:
        """Return the addresses that have confirmed their subscription."""
        return confirmed_emails(self.topic_arn)

    def send[R: (ApprovalRequest, RollbackOffer)](
        self,
        record: R,
        record_id: str,
        approvers: Iterable[str],
        compose: Callable[[R, str, str], tuple[str, str]],
        *,
        now: datetime,
    ) -> int:
        """Email each approver a personal link; return how many emails were sent.

        `compose` returns subject and body for the record, an approver and their link. `record_id` is the
        random id of which the record has only the hash.
        """
        n_sent = 0
        for approver in approvers:
            link = make_link(record, record_id, approver, now=now)
            subject, body = compose(record, approver, self.signer.address(self.base_url, link))
            send_email(self.topic_arn, subject, body, attributes={"approver": approver})
            n_sent += 1
        return n_sent
