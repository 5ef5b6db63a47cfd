"""Who starts each function of a walk on AWS, and whether it does so again after an error.

A state of a state machine obeys its own Retry; an asynchronous invocation is repeated as often as the
template says; behind a page there is a person, who presses the button again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from tests.infrastructure import template
from tests.statemachine.definition import Definition
from tests.statemachine.retrying import is_run_again, retrier_of

_FOLDER = Path(__file__).resolve().parents[2] / "statemachine"
_PATIENCE = 3  # how often a person presses a button


class Caller(Protocol):
    """What starts a function."""

    def starts_again(self, errors: Sequence[str]) -> bool:
        """Return whether the function is started again; `errors` are the names of all its errors so far."""


@dataclass(frozen=True)
class State:
    """A state of a state machine."""

    name: str
    definition: Mapping[str, Any]

    def starts_again(self, errors: Sequence[str]) -> bool:
        """Obey the Retriers of the state."""
        place = retrier_of(self.definition, errors[-1])
        n_earlier_errors = sum(retrier_of(self.definition, error) == place for error in errors[:-1])
        return is_run_again(self.definition, errors[-1], n_earlier_errors=n_earlier_errors)


@dataclass(frozen=True)
class Repeated:
    """An asynchronous invocation, or a person."""

    n_repeats: int

    def starts_again(self, errors: Sequence[str]) -> bool:
        """Start it again a fixed number of times, whatever the error."""
        return len(errors) <= self.n_repeats


def error_name(error: str) -> str:
    """Return the name under which Lambda reports an error of the runner: `killed`, or `Class: message`."""
    return "Runtime.ExitError" if error == "killed" else error.partition(":")[0]


@cache
def caller_of(function: str) -> Caller:
    """Return who starts the function of a folder in `functions/`."""
    logical_id = f"{''.join(word.capitalize() for word in function.split('_'))}Function"
    states = [
        State(name, task)
        for machine in _machines()
        for name, task in machine.tasks.items()
        if f"${{{logical_id}Arn}}" in task["Arguments"].get("FunctionName", "")
    ]
    if states:
        return states[0]
    properties = template.functions()[logical_id]
    if "EventInvokeConfig" in properties:
        return Repeated(properties["EventInvokeConfig"]["MaximumRetryAttempts"])
    return Repeated(_PATIENCE)


def _machines() -> list[Definition]:
    """Return all definitions as they are rendered, those inside maps included."""
    machines = [Definition.load(path) for path in sorted(_FOLDER.glob("*.asl.json"))]
    return [*machines, *(nested for machine in machines for nested in machine.nested)]
