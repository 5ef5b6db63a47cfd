"""Emails of SNS topics arrive in the inbox at `/_local/inbox`, a confirmation with a link that works.

A subscription is never confirmed by the local cloud itself, so that a stack whose approvers have not
confirmed looks here as it looks on AWS.
"""

import os
from typing import Any
from urllib.parse import urlencode

from ministack.core.responses import new_uuid
from ministack.services import sns

from local import mailbox
from local.emulator import wrap
from local.environment import endpoint_url

_EMAIL_PROTOCOLS = ("email", "email-json")
_FOOTER = (
    "\n\n--\nIf you wish to stop receiving notifications from this topic, please click or visit the link "
    "below to unsubscribe:\n{link}\n\nPlease do not reply directly to this email."
)


def install() -> None:
    """Deliver emails, and let subscriptions wait for their confirmation."""
    wrap("sns._fanout", _with_emails)
    wrap("sns._subscribe", lambda original: _requesting_confirmations(_answering_pending(original)))
    for resource in ("AWS::SNS::Topic", "AWS::SNS::Subscription"):
        for verb in ("create", "update"):
            wrap(f"provisioners._RESOURCE_HANDLERS[{resource}][{verb}]", _requesting_confirmations)
    wrap("sns._list_subscriptions", _showing_pending)
    wrap("sns._list_subscriptions_by_topic", _showing_pending)


def confirm(topic_arn: str, token: str) -> str | None:
    """Confirm the subscription that waits with `token`; return its address, or None."""
    topic = sns._topic_by_arn_any_scope(topic_arn)
    for subscription in (topic or {}).get("subscriptions", []):
        if token and subscription.get("token") == token:
            sns._confirm_subscription({"TopicArn": [topic_arn], "Token": [token]})
            return str(subscription["endpoint"])
    return None


def confirm_all() -> list[str]:
    """Confirm every pending email subscription and return the addresses."""
    waiting = [
        (topic["arn"], subscription["token"])
        for topic in sns._topics.values()
        for subscription in topic["subscriptions"]
        if _is_email(subscription) and subscription.get("token")
    ]
    return [address for arn, token in waiting if (address := confirm(arn, token)) is not None]


def _is_email(subscription: dict[str, Any]) -> bool:
    return subscription.get("protocol") in _EMAIL_PROTOCOLS


def _requesting_confirmations(original: Any) -> Any:
    """After a change, send a request to every new address."""

    def change(*arguments: Any, **keywords: Any) -> Any:
        answer = original(*arguments, **keywords)
        for topic in sns._topics.values():
            for subscription in topic["subscriptions"]:
                if _is_email(subscription) and "requested" not in subscription:
                    _request_confirmation(topic, subscription)
        return answer

    return change


def _answering_pending(original: Any) -> Any:
    """Answer `pending confirmation` instead of an ARN, which the subscription only gets later."""

    def subscribe(parameters: Any) -> Any:
        status, headers, body = original(parameters)
        if status == 200 and sns._p(parameters, "Protocol") in _EMAIL_PROTOCOLS:
            text = body.decode() if isinstance(body, bytes) else body
            arn = text.partition("<SubscriptionArn>")[2].partition("</SubscriptionArn>")[0]
            subscription = sns._find_subscription(arn.rpartition(":")[0], arn) or {}
            if "requested" not in subscription or subscription.get("token"):
                body = text.replace(arn, "pending confirmation").encode()
        return status, headers, body

    return subscribe


def _request_confirmation(topic: dict[str, Any], subscription: dict[str, Any]) -> None:
    subscription.update(requested=True, confirmed=False, token=new_uuid())
    subscription["attributes"]["PendingConfirmation"] = "true"
    subscription["attributes"]["ConfirmationWasAuthenticated"] = "false"
    sns._refresh_subscription_counts(topic)
    query = urlencode({"TopicArn": topic["arn"], "Token": subscription["token"]})
    link = f"{endpoint_url(int(os.environ['GATEWAY_PORT']))}/_local/confirm?{query}"
    body = (
        f"You have chosen to subscribe to the topic:\n{topic['arn']}\n\n"
        f"To confirm this subscription, click or visit the link below "
        f"(If this was in error no action is necessary):\n{link}"
    )
    mailbox.deliver(
        subscription["endpoint"], "AWS Notification - Subscription Confirmation", body, topic["arn"]
    )


def _with_emails(original: Any) -> Any:
    def fanout(
        topic_arn: str,
        msg_id: str,
        message: str,
        subject: str,
        message_structure: str = "",
        message_attributes: dict[str, Any] | None = None,
        **keywords: Any,
    ) -> Any:
        topic = sns._topic_by_arn_any_scope(topic_arn)
        for subscription in (topic or {}).get("subscriptions", []):
            if not (_is_email(subscription) and subscription.get("confirmed")):
                continue
            text = sns._resolve_message_for_protocol(message, message_structure, "email")
            if sns._matches_filter_policy(subscription, message_attributes or {}, text):
                link = f"{endpoint_url(int(os.environ['GATEWAY_PORT']))}/_local/inbox"
                title = subject or "AWS Notification Message"
                mailbox.deliver(subscription["endpoint"], title, text + _FOOTER.format(link=link), topic_arn)
        return original(
            topic_arn, msg_id, message, subject, message_structure, message_attributes, **keywords
        )

    return fanout


def _showing_pending(original: Any) -> Any:
    def listing(parameters: Any) -> Any:
        status, headers, body = original(parameters)
        text = body.decode() if isinstance(body, bytes) else body
        for topic in sns._topics.values():
            for subscription in topic["subscriptions"]:
                if _is_email(subscription) and not subscription["confirmed"]:
                    shown = f"<SubscriptionArn>{subscription['arn']}</SubscriptionArn>"
                    text = text.replace(shown, "<SubscriptionArn>PendingConfirmation</SubscriptionArn>")
        return status, headers, text.encode() if isinstance(body, bytes) else text

    return listing
