"""The endpoint of a group follows its champion: the next step towards that, from what exists now.

The state machine `move_endpoint` does the step and asks again, until the endpoint serves the champion. So it
does not matter in which order promotions and rollbacks arrive, or how often.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from mlops.models.objects import Artifact
from mlops.models.record import Record

Step = Literal[
    "create model",
    "create configuration",
    "create endpoint",
    "update endpoint",
    "delete endpoint",
    "delete configuration",
    "delete model",
    "wait",
    "give up",
    "done",
]

_MAX_NAME = 63  # of SageMaker
_DIGEST_CHARACTERS = 8
_GROUP_CHARACTERS = 20
_MAX_ATTEMPTS = 2  # of a step that makes the same; AWS has repeated what may work the next time
_MAX_WAITS = 90
_MAX_WAIT_SECONDS = 30
_MOVING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
_IN_SERVICE = "InService"


class Endpoints(Protocol):
    """What exists in SageMaker."""

    def endpoint(self, name: str) -> tuple[str, str, str] | None:
        """Return status, configuration and reason of a failure of an endpoint; None when there is none."""

    def has_configuration(self, name: str) -> bool:
        """Return whether a configuration of an endpoint exists."""

    def has_model(self, name: str) -> bool:
        """Return whether a model exists."""


@dataclass(frozen=True, slots=True)
class Hosting(Record):
    """How models are served: what is part of a configuration beside the model."""

    image_uri: str
    memory_megabytes: int
    max_concurrency: int


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """The version that an endpoint is to serve."""

    group: str
    version: str
    artifact: Artifact
    hosting: Hosting

    def name(self, prefix: str) -> str:
        """Return the name of its model and of its configuration: another one for all that may differ."""
        hosting = self.hosting
        parts = (
            self.group,
            self.version,
            self.artifact.sha256,
            hosting.image_uri,
            str(hosting.memory_megabytes),
            str(hosting.max_concurrency),
        )
        readable = f"{_slug(self.group)[:_GROUP_CHARACTERS]}-{_slug(self.version)}"
        return _with_digest(f"{prefix}-{readable}", "\n".join(parts))


@dataclass(frozen=True, slots=True)
class Plan(Record):
    """The next step, and what is remembered until the one after it.

    `name` is that of the model and the configuration of the step. `previous` is the configuration that the
    endpoint had before it was moved, and that is deleted afterwards. `attempts` counts the steps that were
    planned, `n_waits` how often the endpoint was waited for.
    """

    group: str
    endpoint: str
    step: Step
    version: str = ""
    name: str = ""
    reason: str = ""
    previous: str = ""
    wait_seconds: int = 0
    n_waits: int = 0
    attempts: Mapping[str, int] = field(default_factory=dict)


def endpoint_name(prefix: str, group: str) -> str:
    """Return the name of the endpoint of a group, for SageMaker: in lower case, as it is in an ARN."""
    name = f"{prefix}-{_slug(group)}"
    is_exact = _slug(group) == group and len(name) <= _MAX_NAME
    return name if is_exact else _with_digest(name, group)


def plan_endpoint(
    before: Plan, target: ServedVersion | None, existing: Endpoints, *, prefix: str, cause: str = ""
) -> Plan:
    """Return the next step.

    Parameters
    ----------
    before
        The last plan; of a first one only the group and the endpoint count.
    target
        What the endpoint is to serve; None when there is to be no endpoint.
    cause
        Why the last step was refused; empty when it was done.
    """
    current = existing.endpoint(before.endpoint)
    plan = replace(before, version=target.version if target else "", reason=cause or before.reason)
    if current is not None and current[0] in _MOVING:
        return _wait(plan)
    if target is None:
        return _removed(plan, current, existing)
    name = target.name(prefix)
    if not existing.has_model(name):
        return _attempt(plan, "create model", name)
    if not existing.has_configuration(name):
        return _attempt(plan, "create configuration", name)
    return (
        _attempt(plan, "create endpoint", name) if current is None else _moved(plan, name, current, existing)
    )


def _moved(plan: Plan, name: str, current: tuple[str, str, str], existing: Endpoints) -> Plan:
    """Let an endpoint that does not change at this moment serve a configuration."""
    status, configuration, reason = current
    if status != _IN_SERVICE:
        return _attempt(replace(plan, reason=reason or plan.reason), "delete endpoint", configuration)
    if configuration != name:
        moved = replace(plan, previous=configuration, reason=reason or plan.reason)
        return _attempt(moved, "update endpoint", name)
    if plan.previous == name:  # it was to serve another version meanwhile, and never did
        plan = replace(plan, previous="" if plan.name == name else plan.name)
    return _without_previous(plan, existing)


def _removed(plan: Plan, current: tuple[str, str, str] | None, existing: Endpoints) -> Plan:
    if current is not None:
        return _attempt(replace(plan, previous=current[1]), "delete endpoint", current[1])
    return _without_previous(plan, existing)


def _without_previous(plan: Plan, existing: Endpoints) -> Plan:
    """Delete what the endpoint had before; its model has the name of its configuration."""
    if plan.previous and existing.has_configuration(plan.previous):
        return _attempt(plan, "delete configuration", plan.previous)
    if plan.previous and existing.has_model(plan.previous):
        return _attempt(plan, "delete model", plan.previous)
    return replace(plan, step="done", reason="")


def _attempt(plan: Plan, step: Step, name: str) -> Plan:
    key = f"{step} {name}"
    n_attempts = plan.attempts.get(key, 0)
    if n_attempts >= _MAX_ATTEMPTS:
        reason = plan.reason or f"The step to {step} had no effect."
        return replace(plan, step="give up", name=name, reason=reason)
    return replace(plan, step=step, name=name, attempts={**plan.attempts, key: n_attempts + 1})


def _wait(plan: Plan) -> Plan:
    if plan.n_waits >= _MAX_WAITS:
        return replace(plan, step="give up", reason="The endpoint did not come into service in time.")
    seconds = min(_MAX_WAIT_SECONDS, plan.n_waits + 1)
    return replace(plan, step="wait", wait_seconds=seconds, n_waits=plan.n_waits + 1)


def _with_digest(readable: str, content: str) -> str:
    digest = hashlib.sha256(content.encode()).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{readable[: _MAX_NAME - len(digest) - 1].rstrip('-')}-{digest}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
