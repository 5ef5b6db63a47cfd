"""template.yaml as plain data: intrinsic functions become one-key dicts."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]


class _Loader(yaml.CSafeLoader):
    """A separate loader, so that the tags are not added to the loaders of other code."""


def _intrinsic(loader: yaml.Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _intrinsic)


@cache
def template() -> dict[str, Any]:
    """The whole template."""
    return yaml.load((REPOSITORY / "template.yaml").read_text(encoding="utf-8"), Loader=_Loader)


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Resources of that type, by logical id."""
    return {name: r for name, r in template()["Resources"].items() if r["Type"] == kind}


def functions() -> dict[str, dict[str, Any]]:
    """Properties of every function, by logical id."""
    return {name: r["Properties"] for name, r in resources("AWS::Serverless::Function").items()}


def snake_case(logical_id: str) -> str:
    """`TrainModelStateMachine` -> `train_model`; a function for compiled models has the name of the other."""
    stem = re.sub(r"(Compiled)?(Function|StateMachine)$", "", logical_id)
    return re.sub(r"(?<!^)(?=[A-Z])", "_", stem).lower()


def layers_of(function: dict[str, Any]) -> list[str]:
    """Logical ids of the function's layers, those of Globals first."""
    shared = template()["Globals"]["Function"]["Layers"]
    return [layer["Ref"] for layer in [*shared, *function.get("Layers", [])]]


def environment_of(function: dict[str, Any]) -> set[str]:
    """Names of the environment variables a function sees."""
    shared = template()["Globals"]["Function"]["Environment"]["Variables"]
    own = function.get("Environment", {}).get("Variables", {})
    return {*shared, *own}


def statements() -> list[tuple[str, dict[str, Any]]]:
    """Every IAM policy statement with the logical id of its owner."""
    pairs: list[tuple[str, Any]] = []
    for name, resource in template()["Resources"].items():
        for policy in resource["Properties"].get("Policies", []):
            document = policy.get("PolicyDocument", policy)
            pairs += [(name, statement) for statement in document.get("Statement", [])]
    for name, policy in resources("AWS::IAM::ManagedPolicy").items():
        pairs += [(name, statement) for statement in policy["Properties"]["PolicyDocument"]["Statement"]]
    for policy in resources("AWS::IAM::Policy").values():
        properties = policy["Properties"]
        for role in properties["Roles"]:
            pairs += [(role["Ref"], statement) for statement in properties["PolicyDocument"]["Statement"]]
    return pairs


def statements_of_roles() -> list[tuple[str, dict[str, Any]]]:
    """The statements of functions, state machines, jobs and schedules: without those of people."""
    people = resources("AWS::IAM::ManagedPolicy")
    return [(owner, statement) for owner, statement in statements() if owner not in people]


def listed(value: Any) -> list[Any]:
    """A value that may be written alone or as a list, as a list."""
    return value if isinstance(value, list) else [value]


def actions(statement: dict[str, Any]) -> set[str]:
    """The actions of a statement."""
    return set(listed(statement["Action"]))


def reached(statement: dict[str, Any]) -> set[str]:
    """The resources of a statement, as the text in `!Sub`, or `Name.Arn` for a reference."""
    return {_text(resource) for resource in listed(statement["Resource"])}


def _text(value: str | dict[str, Any]) -> str:
    if isinstance(value, str):
        return value
    (intrinsic, argument), *_ = value.items()
    if intrinsic == "Fn::Sub" and not isinstance(argument, str):
        argument = argument[0]  # the text, before the values of its names
    text = argument if isinstance(argument, str) else ".".join(argument)
    return text if intrinsic == "Fn::Sub" else f"{text.removesuffix('.Arn')}.Arn"


def watched(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics of an alarm, each with Namespace, MetricName, Dimensions, Stat and Period."""
    if "Metrics" not in alarm:
        return [{"Stat": alarm["Statistic"], **alarm}]
    stats = [query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query]
    return [{**stat, **stat["Metric"]} for stat in stats]
