"""Deciding a request: once, by a conditional write, and only then telling the execution that waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from mlops.approval.quorum import count_answer, decided, has_answered, recorded_by
from mlops.approval.store import RequestStore
from mlops.infrastructure.aws.kms import decrypt, encrypt
from mlops.infrastructure.aws.stepfunctions import execution_status, send_task_success
from mlops.infrastructure.clock import utc_now
from mlops.models.approval import Answer, ApprovalRequest, RequestStatus, RollbackOffer
from mlops.models.errors import ApprovalClosedError, TransitionNotAllowedError
from mlops.models.registry import ModelMetadata, Status
from mlops.registry.model_registry import ModelRegistry

# who expired a version whose execution was gone; what a time limit expires, the state machine announces
ABANDONED_BY = "the end of its execution"


def describe_fault(record: ApprovalRequest | RollbackOffer, fault: Exception) -> str:
    """Name what was left and the kind of fault; the message itself may hold what must not be logged."""
    code = fault.response["Error"]["Code"] if isinstance(fault, ClientError) else type(fault).__name__
    return f"{record.group} {record.version}: {code}"


@dataclass(frozen=True, slots=True)
class Decided:
    """A request after an answer came in; `is_new` is False when the answer came too late to count."""

    request: ApprovalRequest
    is_new: bool


@dataclass(frozen=True, slots=True)
class ApprovalService:
    """Where requests are kept, decided, and handed to the executions that wait for them.

    `key_arn` is the KMS key that seals task tokens.
    """

    table: RequestStore
    registry: ModelRegistry
    key_arn: str
    now: Callable[[], datetime] = utc_now

    def answer(self, id_hash: str, answer: Answer) -> Decided:
        """Let one approver's answer count, if the request is still open and it is their first.

        The decision is stored before the execution hears of it. When the second half failed, any later answer
        makes up for it, so nothing is lost and nothing decided twice.

        Raises
        ------
        ApprovalClosedError
            If nobody waits any more: the time is over, or the execution was stopped.
        """
        while True:
            request = self._existing(id_hash)
            if request.is_over or self._is_late(request):
                raise ApprovalClosedError("The time to decide is over.")
            if request.status is not RequestStatus.PENDING or has_answered(request, answer.approver):
                return Decided(self.deliver(request), is_new=False)
            counted = count_answer(request, answer)
            if self.table.put(counted):
                self.record_answers(counted)
                return Decided(self.deliver(counted), is_new=True)

    def deliver(self, request: ApprovalRequest) -> ApprovalRequest:
        """Hand a stored decision to the execution, unless it has it already; a request without one stays as
        it is.

        Raises
        ------
        ApprovalClosedError
            If the execution has failed or was stopped meanwhile. The version is expired then, and the request
            abandoned: `watch_approvals` tells people.
        """
        if request.decision is None or request.is_delivered:
            return request
        try:
            send_task_success(self.unseal(request)["task_token"], request.decision.to_dict())
        except ApprovalClosedError:
            # a closed token of an execution that lives on: an earlier try arrived, only its answer was lost
            if request.status is RequestStatus.DECIDED and self._is_abandoned(request):
                self.expire_version(request)
                self._leave(request, RequestStatus.ABANDONED)
                raise
        delivered = replace(request, is_delivered=True, revision=request.revision + 1)
        return delivered if self.table.put(delivered) else self._existing(request.id_hash)

    def record_answers(self, request: ApprovalRequest) -> None:
        """Keep the answers of a request that waits for more of them in the registry's audit log."""
        if request.status is not RequestStatus.PENDING:
            return  # the decision's own entry names who made it and why
        for answer in request.answers:
            reason = f"{answer.choice}: {answer.reason}".removesuffix(": ")
            self.registry.record_answer(
                request.group, request.version, by=recorded_by(answer), reason=reason, at=answer.at
            )

    def supersede(self, older: ModelMetadata, *, by: ModelMetadata) -> None:
        """Close the pending request of an older candidate; one that was decided first keeps its decision."""
        request = self.table.get(older.approval_request or "")
        reason = f"{by.version} is newer."
        while request is not None and request.status is RequestStatus.PENDING:
            closed = replace(
                decided(request, "superseded", "a newer candidate", reason, self.now()),
                status=RequestStatus.SUPERSEDED,
            )
            request = closed if self.table.put(closed) else self.table.get(request.id_hash)
        if request is not None and request.status is not RequestStatus.SUPERSEDED:
            return
        self.registry.supersede(older.model_group, older.version, by="request_approval", reason=reason)
        if request is not None:
            self.deliver(request)

    def expire_version(self, request: ApprovalRequest) -> ModelMetadata:
        """Expire the version whose execution is gone, unless it has left this stage in another way."""
        reason = "The execution that waited for the decision has ended."
        with suppress(TransitionNotAllowedError):
            return self.registry.expire(request.group, request.version, by=ABANDONED_BY, reason=reason)
        return self.registry.get_model(request.group, request.version)

    def close(self, request: ApprovalRequest) -> bool:
        """Close a request for good; False, and nothing changed, when somebody else changed it first."""
        return self._leave(request, RequestStatus.EXPIRED)

    def seal(self, request: ApprovalRequest, secret: str) -> str:
        """Encrypt what must not be readable in the table, bound to the request."""
        return encrypt(secret, self.key_arn, _context(request))

    def unseal(self, request: ApprovalRequest) -> dict[str, Any]:
        """Return `approval_id` and `task_token` of the request."""
        secret: dict[str, Any] = json.loads(decrypt(request.sealed, self.key_arn, _context(request)))
        return secret

    def _leave(self, request: ApprovalRequest, status: RequestStatus) -> bool:
        left = replace(request, status=status, decision=None, revision=request.revision + 1)
        return self.table.put(left)

    def _existing(self, id_hash: str) -> ApprovalRequest:
        request = self.table.get(id_hash)
        if request is None:
            raise ApprovalClosedError("This request does not exist any more.")
        return request

    def _is_abandoned(self, request: ApprovalRequest) -> bool:
        """Tell whether nobody heard the decision: the execution failed, or had run out of time before."""
        if execution_status(request.execution_arn) not in ("RUNNING", "SUCCEEDED"):
            return True
        return self.registry.get_model(request.group, request.version).status is Status.EXPIRED

    def _is_late(self, request: ApprovalRequest) -> bool:
        return request.status is RequestStatus.PENDING and self.now() >= request.expires_at


def _context(request: ApprovalRequest) -> dict[str, str]:
    return {"approval": request.id_hash, "group": request.group, "version": request.version}
