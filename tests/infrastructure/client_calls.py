"""The IAM actions that the library's calls to AWS need, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name

LIBRARY = Path(__file__).resolve().parents[2] / "src" / "mlops"

# Operations whose action has another name, or that need more than one; others are named like their action.
_READ = {"s3:GetObject", "s3:GetObjectVersion"}
_WRITE = {"s3:PutObject", "s3:AbortMultipartUpload"}
_ACTIONS = {
    "s3:HeadObject": _READ,
    "s3:GetObject": _READ,
    "s3:DeleteObject": {"s3:DeleteObjectVersion"},  # the library deletes versions only
    "s3:ListObjectsV2": {"s3:ListBucket"},
    "s3:ListObjectVersions": {"s3:ListBucketVersions"},
    "dynamodb:TransactWriteItems": set(),  # each item needs an action of its own
    "lambda:Invoke": {"lambda:InvokeFunction"},
    "stepfunctions:StartExecution": {"states:StartExecution"},
    "stepfunctions:DescribeExecution": {"states:DescribeExecution"},
    "stepfunctions:SendTaskSuccess": {"states:SendTaskSuccess"},
}
_TRANSFERS = {"upload_file": _WRITE, "download_file": _READ, "copy": _READ | _WRITE}
_PARTS_OF_TRANSACTIONS = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}
# The port `Table`: what its methods and operations become in DynamoDB.
_TABLE = {
    "get": "dynamodb:GetItem",
    "query": "dynamodb:Query",
    "query_index": "dynamodb:Query",
    "Put": "dynamodb:PutItem",
    "SetAttribute": "dynamodb:UpdateItem",
}


@cache
def actions_of_the_library() -> frozenset[str]:
    """Every action that some call in `src/mlops` needs."""
    calling = [path for path in LIBRARY.rglob("*.py") if "client(" in path.read_text(encoding="utf-8")]
    return frozenset(action for path in calling for action in _actions_of(path))


def actions_on_a_table(*modules: str) -> set[str]:
    """The actions on the table that these modules read and write through the port `Table`."""
    found = set()
    for module in modules:
        for node in ast.walk(_tree(LIBRARY / module)):
            if isinstance(node, ast.Call):
                name = _name(node.func)
                on_table = isinstance(node.func, ast.Attribute) and _name(node.func.value).endswith("table")
                if name in ("Put", "SetAttribute") or (on_table and name in _TABLE):
                    found.add(_TABLE[name])
    return found


def _actions_of(path: Path) -> Iterator[str]:
    tree = _tree(path)
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    called = {_name(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for service in _clients(tree):
        operations = _operations(service)
        paginated = {text for text in texts if isinstance(text, str)} if "get_paginator" in called else set()
        for name in (called | paginated) & set(operations):
            action = f"{service}:{operations[name]}"
            yield from _ACTIONS.get(action, {action})
        if service == "s3":
            yield from (action for name in called & set(_TRANSFERS) for action in _TRANSFERS[name])
        if service == "dynamodb":
            yield from (action for part, action in _PARTS_OF_TRANSACTIONS.items() if part in texts)


def _clients(tree: ast.Module) -> set[str]:
    """The services whose client the module makes."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) == "client"]
    return {call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)}


@cache
def _operations(service: str) -> dict[str, str]:
    """The operations of a service by the name of the client's method."""
    names = botocore.session.get_session().get_service_model(service).operation_names
    return {xform_name(name): name for name in names}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
