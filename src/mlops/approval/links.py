"""What the link of an approver grants: one answer to one stored request, for these bytes, by this person."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

from mlops.links.link import Link, Purpose
from mlops.links.signer import UntrustedTokenError
from mlops.models.approval import ApprovalRequest, RollbackOffer

type Answerable = ApprovalRequest | RollbackOffer


def make_link(record: Answerable, record_id: str, approver: str, *, now: datetime) -> Link:
    """Return the personal link of one approver; of `record_id` the record has only the hash."""
    return Link(
        purpose=Purpose(record.KIND),
        group=record.group,
        subject=record_id,
        issued_at=now,
        expires_at=record.expires_at,
        version=record.version,
        holder=approver_key(approver),
        binding=_binding(record),
    )


def find_approver(link: Link, record: Answerable) -> str:
    """Return the address of the owner of the link, after checking that the link is for this record.

    Raises
    ------
    UntrustedTokenError
        If version, artifact, execution or approver are not those of the request or offer.
    """
    claimed = (link.subject_hash, link.group, link.version, link.binding)
    if claimed != (record.id_hash, record.group, record.version, _binding(record)):
        raise UntrustedTokenError("This link belongs to another request.")
    for approver in record.approvers:
        if hmac.compare_digest(approver_key(approver), link.holder):
            return approver
    raise UntrustedTokenError("This link does not belong to an approver of this request.")


def approver_key(email: str) -> str:
    """Return the short name of an approver that links contain instead of the address."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:12]


def _binding(record: Answerable) -> str:
    digest = hashlib.sha256("\n".join(record.bound_to).encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
