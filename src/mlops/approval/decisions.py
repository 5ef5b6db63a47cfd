"""Decisions on requests: stored once, by a conditional write, then sent to the execution that waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mlops.approval.quorum import count_answer, decided, has_answered, recorded_by
from mlops.approval.store import RequestStore
from mlops.infrastructure.aws.clients import error_code
from mlops.infrastructure.aws.kms import decrypt, encrypt
from mlops.infrastructure.aws.stepfunctions import find_execution, send_task_success
from mlops.infrastructure.clock import utc_now
from mlops.models.approval import Answer, ApprovalDecision, ApprovalRequest, RequestStatus, RollbackOffer
from mlops.models.errors import ApprovalClosedError, TransitionNotAllowedError
from mlops.models.registry import ModelMetadata, Status
from mlops.registry.model_registry import ModelRegistry

# who expires a version whose execution has ended; on a time limit the state machine expires it and notifies
ABANDONED_BY = "the end of its execution"


def describe_fault(record: ApprovalRequest | RollbackOffer | ModelMetadata, fault: Exception) -> str:
    """Name the record and the kind of fault; the message itself may contain what must not be logged."""
    group = record.model_group if isinstance(record, ModelMetadata) else record.group
    return f"{group} {record.version}: {error_code(fault)}"


@dataclass(frozen=True, slots=True)
class AnswerResult:
    """A request after an answer to it; `is_new` is False when the answer came too late to count."""

    request: ApprovalRequest
    is_new: bool


@dataclass(frozen=True, slots=True)
class ApprovalService:
    """Stores requests, takes their decisions, and sends these to the executions that wait for them.

    `key_arn` is the KMS key that seals task tokens.
    """

    table: RequestStore
    registry: ModelRegistry
    key_arn: str
    now: Callable[[], datetime] = utc_now

    def answer(self, id_hash: str, answer: Answer) -> AnswerResult:
        """Count one approver's answer, if the request is still open and it is their first.

        The decision is stored before it is sent to the execution. When sending fails, any later answer sends
        it again, so no decision is lost or made twice.

        Raises
        ------
        ApprovalClosedError
            If the time to decide is over, or the execution had ended before.
        """
        while True:
            request = self._existing(id_hash)
            if request.is_over or self._is_late(request):
                raise ApprovalClosedError("The time to decide is over.")
            if request.status is not RequestStatus.PENDING or has_answered(request, answer.approver):
                return AnswerResult(self.deliver(request), is_new=False)
            counted = count_answer(request, answer)
            if self.table.put(counted):
                self.record_answers(counted)
                return AnswerResult(self.deliver(counted), is_new=True)

    def deliver(self, request: ApprovalRequest) -> ApprovalRequest:
        """Send a stored decision to the execution, unless that was done; without a decision, do nothing.

        An execution that does not wait any more has received it by an earlier call, or has ended since. A
        decision that was made while it waited stays a decision: what the execution has not done of it, the
        scheduled round does.

        Raises
        ------
        ApprovalClosedError
            If the execution had ended before the decision was made. The version is expired then, and the
            request abandoned: the scheduled round notifies people.
        """
        if request.decision is None or request.is_delivered:
            return request
        try:
            send_task_success(self.unseal(request)["task_token"], request.decision.to_dict())
        except ApprovalClosedError:
            if request.status is RequestStatus.DECIDED and self._is_too_late(request, request.decision):
                self.expire_version(request)
                self._leave(request, RequestStatus.ABANDONED)
                raise
        delivered = replace(request, is_delivered=True, revision=request.revision + 1)
        return delivered if self.table.put(delivered) else self._existing(request.id_hash)

    def record_answers(self, request: ApprovalRequest) -> None:
        """Record the answers to a request that is still pending in the registry's audit log."""
        if request.status is not RequestStatus.PENDING:
            return  # the entry of the decision names who made it and why
        for answer in request.answers:
            reason = f"{answer.choice}: {answer.reason}".removesuffix(": ")
            self.registry.record_answer(
                request.group, request.version, by=recorded_by(answer), reason=reason, at=answer.at
            )

    def supersede(self, older: ModelMetadata, *, by: ModelMetadata) -> None:
        """Close the pending request of an older candidate; a request that is decided keeps its decision."""
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
        """Expire a version whose execution has ended, unless its status has changed otherwise."""
        reason = "The execution that waited for the decision has ended."
        with suppress(TransitionNotAllowedError):
            return self.registry.expire(request.group, request.version, by=ABANDONED_BY, reason=reason)
        return self.registry.get_model(request.group, request.version)

    def close(self, request: ApprovalRequest) -> bool:
        """Close a request permanently; return False, without a change, when it was changed meanwhile."""
        return self._leave(request, RequestStatus.EXPIRED)

    def seal(self, request: ApprovalRequest, secret: str) -> str:
        """Encrypt a secret for the table; it can be decrypted for this request only."""
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

    def _is_too_late(self, request: ApprovalRequest, decision: ApprovalDecision) -> bool:
        """Return whether the wait had ended before the decision was made."""
        model = self.registry.get_model(request.group, request.version)
        execution = find_execution(request.execution_arn)
        if model.status is Status.EXPIRED:
            ended_at = model.status_changed_at
        elif execution is None:  # it was deleted, long after its end
            return True
        else:
            ended_at = execution.stopped_at
        return ended_at is not None and decision.decided_at > ended_at

    def _is_late(self, request: ApprovalRequest) -> bool:
        return request.status is RequestStatus.PENDING and self.now() >= request.expires_at


def _context(request: ApprovalRequest) -> dict[str, str]:
    return {"approval": request.id_hash, "group": request.group, "version": request.version}
