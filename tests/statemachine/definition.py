"""A state machine definition, rendered as CloudFormation renders it, as a graph."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLACEHOLDER = re.compile(r"\$\{([A-Za-z]+)\}")
ENDINGS = ("Succeed", "Fail")


@dataclass(frozen=True)
class Definition:
    """A parsed definition."""

    name: str
    text: str
    document: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> Definition:
        """Read the file as it is, which must be valid JSON, with a value for every placeholder.

        The placeholders of functions stay, because they tell which function a state invokes.
        """
        text = path.read_text(encoding="utf-8")
        json.loads(text)
        rendered = PLACEHOLDER.sub(_value, text)
        return cls(path.name.removesuffix(".asl.json"), text, json.loads(rendered))

    @property
    def nested(self) -> list[Definition]:
        """The machines that its maps run for each item; they see no variable of this one."""
        processors = {n: s["ItemProcessor"] for n, s in self.states.items() if "ItemProcessor" in s}
        return [Definition(f"{self.name}: {n}", json.dumps(p), p) for n, p in processors.items()]

    @property
    def placeholders(self) -> set[str]:
        return set(PLACEHOLDER.findall(self.text))

    @property
    def states(self) -> dict[str, dict[str, Any]]:
        return self.document["States"]

    @property
    def tasks(self) -> dict[str, dict[str, Any]]:
        return {name: state for name, state in self.states.items() if state["Type"] == "Task"}

    def targets(self, name: str) -> Iterator[str]:
        """Every state that may follow."""
        state = self.states[name]
        yield from (state[field] for field in ("Next", "Default") if field in state)
        for branch in [*state.get("Choices", []), *state.get("Catch", [])]:
            yield branch["Next"]

    def reachable(self, start: str, *, without: str = "") -> set[str]:
        """Every state on some path from `start`, itself included, that does not pass `without`."""
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            name = waiting.pop()
            if name not in seen and name != without:
                seen.add(name)
                waiting += self.targets(name)
        return seen

    def expressions(self) -> Iterator[tuple[str, str]]:
        """Every JSONata expression with the state that holds it."""
        for name, state in self.states.items():
            own = {field: value for field, value in state.items() if field != "ItemProcessor"}
            yield from ((name, text) for text in _expressions(own))


def _value(placeholder: re.Match[str]) -> str:
    if placeholder[1].endswith("FunctionArn"):
        return placeholder[0]
    return "aws" if placeholder[1] == "Partition" else "60"


def _expressions(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from _expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from _expressions(value)
    elif isinstance(node, str) and node.startswith("{%"):
        yield node
