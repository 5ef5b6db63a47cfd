"""The IAM actions that the library's calls to AWS need, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import botocore.session
from botocore import xform_name

from tests.infrastructure.code_paths import LIBRARY, imports_of, path_of, tree_of

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
    "stepfunctions:ListExecutions": {"states:ListExecutions"},
    "stepfunctions:ListMapRuns": {"states:ListMapRuns"},
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
    "get_many": "dynamodb:BatchGetItem",
    "write_newer": "dynamodb:UpdateItem",
    "query": "dynamodb:Query",
    "query_index": "dynamodb:Query",
    "Put": "dynamodb:PutItem",
    "SetAttribute": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
}


@cache
def actions_of_function(function: str) -> frozenset[str]:
    """Every action that the code paths of a Lambda function need, by what they import from the library."""
    definitions = (_definition(module, name) for module, name in imports_of(function))
    return frozenset(action for node in definitions if node is not None for action in _actions_of(node))


def actions_on_a_table(*modules: str) -> set[str]:
    """The actions on the table that these modules read and write through the port `Table`."""
    actions = set()
    for module in modules:
        for node in ast.walk(tree_of(LIBRARY / module)):
            if isinstance(node, ast.Call):
                name = _name(node.func)
                on_table = isinstance(node.func, ast.Attribute) and _name(node.func.value).endswith("table")
                if name in ("Put", "SetAttribute", "Delete") or (on_table and name in _TABLE):
                    actions.add(_TABLE[name])
    return actions


def _definition(module: str, name: str) -> ast.stmt | None:
    """The definition of a name in a module that makes clients; None elsewhere."""
    path = path_of(module)
    if path is None or "client(" not in path.read_text(encoding="utf-8"):
        return None
    return next((node for node in tree_of(path).body if getattr(node, "name", None) == name), None)


def _actions_of(definition: ast.AST) -> Iterator[str]:
    """Yield what the calls in a function or class need."""
    nodes = list(ast.walk(definition))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    called = {_name(node.func) for node in nodes if isinstance(node, ast.Call)}
    for service in _clients(definition):
        operations = _operations(service)
        paginated = texts if "get_paginator" in called else set()
        for name in (called | paginated) & set(operations):
            action = f"{service}:{operations[name]}"
            yield from _ACTIONS.get(action, {action})
        if service == "s3":
            yield from (action for name in called & set(_TRANSFERS) for action in _TRANSFERS[name])
        if service == "dynamodb":
            yield from (action for part, action in _PARTS_OF_TRANSACTIONS.items() if part in texts)


def _clients(definition: ast.AST) -> set[str]:
    """The services whose client is made there."""
    calls = [
        node for node in ast.walk(definition) if isinstance(node, ast.Call) and _name(node.func) == "client"
    ]
    return {call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)}


@cache
def _operations(service: str) -> dict[str, str]:
    """The operations of a service by the name of the client's method."""
    names = botocore.session.get_session().get_service_model(service).operation_names
    return {xform_name(name): name for name in names}


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
