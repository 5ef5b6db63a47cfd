"""Boosted trees, divided into parts of so few questions that the answers of a row to one are a byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

type _Tree = Mapping[str, Any]  # as XGBoost writes it
type _Steps = tuple[tuple[int, bool], ...]  # nodes, and whether the path goes left

MAX_QUESTIONS = 8


@dataclass(slots=True)
class TreeParts:
    """The parts of the trees of one output, and what their leaves need, while they are collected.

    `questions` has the nodes of each part as (column, condition, is_missing_left). `entries` are the (part,
    group) pairs, each of which gets a table. `leaves` are by (questions of the part, columns on the path).
    """

    questions: list[list[tuple[int, float, bool]]] = field(default_factory=list)
    entries: dict[tuple[int, int], int] = field(default_factory=dict)
    leaves: dict[tuple[int, int], list[Leaf]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf: its value, and for each column on the path what a row must answer, by bits of the part.

    `shares` are those of the training rows that go this way wherever a column is asked; `entries` are the
    tables that the columns add to.
    """

    value: float
    masks: tuple[int, ...]
    answers: tuple[int, ...]
    shares: tuple[float, ...]
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Path:
    """The steps to a leaf, and the bit of each node of its part."""

    steps: _Steps
    leaf: int
    bits: Mapping[int, int]


def add_tree(parts: TreeParts, tree: _Tree, group_of: NDArray[np.int64]) -> bool:
    """Divide a tree into parts; return whether that was possible."""
    if any(tree["split_type"]) or min(tree["sum_hessian"]) <= 0.0:
        return False
    waiting: list[tuple[_Steps, int]] = [((), 0)]
    while waiting:
        path, node = waiting.pop()
        inner = _inner_nodes(tree, node, MAX_QUESTIONS - len(path))
        if inner is not None:
            _add_part(parts, tree, path, node, inner, group_of)
        elif len(path) == MAX_QUESTIONS:
            return False
        else:
            waiting += [((*path, (node, False)), _child(tree, node, goes_left=False))]
            waiting += [((*path, (node, True)), _child(tree, node, goes_left=True))]
    return True


def _child(tree: _Tree, node: int, *, goes_left: bool) -> int:
    child: int = tree["left_children" if goes_left else "right_children"][node]
    return child


def _inner_nodes(tree: _Tree, root: int, most: int) -> list[int] | None:
    """Return a node and the inner nodes below, none for a leaf; None when there are more than `most`."""
    left, right = tree["left_children"], tree["right_children"]
    nodes = [root] if left[root] >= 0 else []
    for node in nodes:
        if len(nodes) > most:
            return None
        nodes += [child for child in (left[node], right[node]) if left[child] >= 0]
    return nodes if len(nodes) <= most else None


def _add_part(
    parts: TreeParts, tree: _Tree, path: _Steps, root: int, inner: Sequence[int], group_of: NDArray[np.int64]
) -> None:
    """Add a subtree, with the nodes on the path to it, as one part."""
    nodes = [*(node for node, _ in path), *inner]
    bits = {node: 1 << place for place, node in enumerate(nodes)}
    columns, conditions, missing = (
        tree[name] for name in ("split_indices", "split_conditions", "default_left")
    )
    part = len(parts.questions)
    parts.questions.append([(columns[node], conditions[node], bool(missing[node])) for node in nodes])
    waiting = [(path, root)]
    while waiting:
        steps, node = waiting.pop()
        if node in bits:
            waiting += [
                ((*steps, (node, goes_left)), _child(tree, node, goes_left=goes_left))
                for goes_left in (True, False)
            ]
        elif steps:
            _add_leaf(parts, tree, part, _Path(steps, node, bits), group_of)


def _add_leaf(parts: TreeParts, tree: _Tree, part: int, path: _Path, group_of: NDArray[np.int64]) -> None:
    """Add a leaf: questions about the same column are one, which is answered when all of them are."""
    masks: dict[int, int] = {}
    answers: dict[int, int] = {}
    shares: dict[int, float] = {}
    for node, goes_left in path.steps:
        column, bit, cover = tree["split_indices"][node], path.bits[node], tree["sum_hessian"]
        masks[column] = masks.get(column, 0) | bit
        answers[column] = answers.get(column, 0) | (bit if goes_left else 0)
        share = cover[_child(tree, node, goes_left=goes_left)] / cover[node]
        shares[column] = shares.get(column, 1.0) * share
    pairs = [(part, int(group_of[column])) for column in masks]
    entries = tuple(parts.entries.setdefault(pair, len(parts.entries)) for pair in pairs)
    value = tree["split_conditions"][path.leaf]
    leaf = Leaf(value, tuple(masks.values()), tuple(answers.values()), tuple(shares.values()), entries)
    parts.leaves.setdefault((len(path.bits), len(masks)), []).append(leaf)
