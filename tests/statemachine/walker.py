"""Walks through a definition as an execution does, with Python functions in place of the tasks.

Retriers and Catchers are left out: a task that fails ends the walk. An expression without a result is an
error, as in Step Functions; so a walk also shows that each task returns what the definition reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonata import Jsonata
from jsonata.utils import Utils

from tests.statemachine.definition import Definition

Task = Callable[[str, dict[str, Any]], Any]


class UndefinedError(Exception):
    """An expression has no result."""


@dataclass
class Walk:
    """One walk: `run_task` gets the resource and the arguments of a task, and returns its result.

    `read_items` gets where the items of a map are stored. `path` are the states that were entered.
    """

    definition: Definition
    run_task: Task
    read_items: Callable[[dict[str, Any]], list[Any]] = lambda arguments: []
    variables: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)

    def go(self, document: Any = None, *, start: str = "") -> str:
        """Walk from `start` (the beginning when empty) with an input; return the name of the last state."""
        name: str | None = start or self.definition.document["StartAt"]
        while name is not None:
            self.path.append(name)
            state = self.definition.states[name]
            if state["Type"] == "Choice":
                name = self._choose(state, document)
                continue
            result = self._result(name, state, document)
            document = self._leave(state, document, result)
            name = state.get("Next")
        return self.path[-1]

    def _choose(self, state: Mapping[str, Any], document: Any) -> str:
        met = (branch for branch in state["Choices"] if self._value(branch["Condition"], document))
        return str(next(met, {"Next": state["Default"]})["Next"])

    def _result(self, name: str, state: Mapping[str, Any], document: Any) -> Any:
        match state["Type"]:
            case "Task":
                return self.run_task(state["Resource"], self._value(state["Arguments"], document))
            case "Map":
                return self._map(name, state, document)
            case _:
                return document

    def _map(self, name: str, state: Mapping[str, Any], document: Any) -> list[str]:
        (processor,) = [each for each in self.definition.nested if each.name.endswith(f": {name}")]
        endings = []
        for item in self.read_items(self._value(state["ItemReader"]["Arguments"], document)):
            context = {**self.context, "Map": {"Item": {"Value": item}}}
            selected = self._value(state["ItemSelector"], document, context=context)
            endings.append(Walk(processor, self.run_task, context=self.context).go(selected))
        return endings

    def _leave(self, state: Mapping[str, Any], document: Any, result: Any) -> Any:
        assigned = self._value(state.get("Assign", {}), document, result)
        output = self._value(state["Output"], document, result) if "Output" in state else result
        self.variables |= assigned
        return output

    def _value(
        self, node: Any, document: Any, result: Any = None, context: dict[str, Any] | None = None
    ) -> Any:
        if isinstance(node, dict):
            return {key: self._value(value, document, result, context) for key, value in node.items()}
        if isinstance(node, list):
            return [self._value(value, document, result, context) for value in node]
        if not (isinstance(node, str) and node.startswith("{%")):
            return node
        states = {"input": document, "result": result, "context": context or self.context}
        return evaluate(node[2:-2], {**self.variables, "states": states})


def evaluate(expression: str, variables: Mapping[str, Any]) -> Any:
    """Return the result of a JSONata expression.

    Raises
    ------
    UndefinedError
        It has none: a name or a field that it reads is missing.
    """
    bindings = {name: Utils.NULL_VALUE if value is None else value for name, value in variables.items()}
    value = Jsonata.jsonata(expression).evaluate(None, dict(bindings))
    if value is None and not Jsonata.jsonata(f"$exists({expression})").evaluate(None, dict(bindings)):
        raise UndefinedError(expression)
    return value
