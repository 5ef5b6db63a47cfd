"""Emails about a drift alert to approvers, each with a personal link to its page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from mlops.approval.emails import link_lines
from mlops.infrastructure.aws.sns import confirmed_emails, send_email
from mlops.links.signer import LinkSigner
from mlops.use_cases.drift.alert_links import make_link
from mlops.use_cases.drift.drift_notification import Compose


@dataclass(frozen=True, slots=True)
class AlertMailer:
    """Sends personal emails through the topic whose subscriptions filter on the attribute `approver`.

    `base_url` is the address of the page without the token, such as `https://.../alerts`.
    """

    topic_arn: str
    base_url: str
    signer: LinkSigner
    now: Callable[[], datetime]

    def send(self, group: str, night: date, compose: Compose) -> int:
        """Email every confirmed approver; return how many emails were sent."""
        approvers = confirmed_emails(self.topic_arn)
        for approver in approvers:
            link = make_link(group, night, approver, now=self.now())
            address = self.signer.address(self.base_url, link)
            subject, body = compose("\n".join(link_lines(address, f"{link.expires_at:%d %b %Y, %H:%M}")))
            send_email(self.topic_arn, subject, body, attributes={"approver": approver})
        return len(approvers)
