"""Requests checked against botocore's own model of the API: types, names, lengths, patterns, enums."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape

from local.sagemaker.errors import validation_error

_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
}


@cache
def service_model() -> ServiceModel:
    """Return botocore's model of SageMaker (a second or so, once)."""
    return botocore.session.get_session().get_service_model("sagemaker")


def check_request(operation: str, request: dict[str, Any]) -> None:
    """Raise ValidationException naming everything that is wrong with `request`."""
    shape = service_model().operation_model(operation).input_shape
    problems = [] if shape is None else list(_problems(shape, request, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise validation_error(count + "; ".join(problems))


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    expected = _PYTHON_TYPES.get(shape.type_name)
    is_bool_as_number = isinstance(value, bool) and shape.type_name != "boolean"
    if expected is not None and (not isinstance(value, expected) or is_bool_as_number):
        yield f"Value at '{path}' must be of type {shape.type_name}, not {type(value).__name__}"
    elif shape.type_name == "structure":
        yield from _structure_problems(shape, value, path)
    elif shape.type_name == "list":
        yield from _range_problems(shape, len(value), path, "length")
        for index, item in enumerate(value):
            yield from _problems(shape.member, item, f"{path}.{index + 1}.member")
    elif shape.type_name == "map":
        yield from _range_problems(shape, len(value), path, "length")
        for key, item in value.items():
            yield from _problems(shape.key, key, f"{path} key {key!r}")
            yield from _problems(shape.value, item, f"{path}.{key}")
    elif shape.type_name == "string":
        yield from _string_problems(shape, value, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _range_problems(shape, value, path, "value")


def _structure_problems(shape: Any, value: dict[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, item in value.items():
        if name not in shape.members:
            yield f"'{_join(path, name)}' is not a member of {shape.name}"
        elif item is not None:
            yield from _problems(shape.members[name], item, _join(path, name))


def _string_problems(shape: Any, value: str, path: str) -> Iterator[str]:
    failed = f"Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy "
    if shape.enum and value not in shape.enum:
        yield f"{failed}enum value set: [{', '.join(shape.enum)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and re.fullmatch(_in_python(pattern), value) is None:
        yield f"{failed}regular expression pattern: {pattern}"
    yield from _range_problems(shape, len(value), path, "length")


def _in_python(pattern: str) -> str:
    """Return a Java pattern for `re`, whose Unicode classes are a little wider than those of Java."""
    for java, python in ((r"\p{L}", r"\w"), (r"\p{Z}", r"\s"), (r"\p{N}", r"\d"), (r"\p{M}", "")):
        pattern = pattern.replace(java, python)
    return pattern


def _range_problems(shape: Shape, size: float, path: str, measure: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    failed = f"The {measure} {size} at '{path}' failed to satisfy constraint: Member must have {measure} "
    if low is not None and size < low:
        yield f"{failed}greater than or equal to {low}"
    if high is not None and size > high:
        yield f"{failed}less than or equal to {high}"


def _join(path: str, name: str) -> str:
    camel = name[:1].lower() + name[1:]
    return f"{path}.{camel}" if path else camel
