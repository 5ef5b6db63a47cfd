"""The trees of scikit-learn's ensembles as arrays.

References: `sklearn.tree._tree.Tree` (a row goes left when its 32-bit value is at most the threshold) and
`sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor` (the same with 64-bit values; missing ones
go where `missing_go_to_left` says).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops.pipelines.compiled.trees import LEAF, Trees


@dataclass(frozen=True, slots=True)
class _Nodes:
    """One tree, its positions counted from its root."""

    feature: NDArray[Any]
    threshold: NDArray[Any]
    left: NDArray[Any]
    right: NDArray[Any]
    is_missing_left: NDArray[Any]
    value: NDArray[Any]
    output: int = 0


def forest(estimators: Iterable[Any], n_classes: int) -> Trees:
    """Return the trees of a forest: the mean of their values is its result.

    That is the share of the second of two classes, the share of each of more, or a number.

    Parameters
    ----------
    estimators
        The fitted trees.
    n_classes
        Of the target, 0 for a regression.
    """
    is_multiclass = n_classes > 2
    return _joined(
        [_of_tree(estimator.tree_, n_classes) for estimator in estimators], n_classes if is_multiclass else 1
    )


def histogram_boosting(predictors: Sequence[Sequence[Any]]) -> Trees:
    """Return the trees of a HistGradientBoosting model: `_predictors`, one tree per output and iteration."""
    trees = [
        _of_predictor(predictor.nodes, output)
        for iteration in predictors
        for output, predictor in enumerate(iteration)
    ]
    return _joined(trees, len(predictors[0]))


def _of_tree(tree: Any, n_classes: int) -> _Nodes:
    shares = tree.value[:, 0, :]
    is_leaf = tree.children_left < 0
    return _Nodes(
        feature=np.where(is_leaf, LEAF, tree.feature),
        threshold=tree.threshold,
        left=tree.children_left,
        right=tree.children_right,
        is_missing_left=np.asarray(tree.missing_go_to_left, dtype=bool),
        value=shares[:, 1:] if n_classes == 2 else shares,
    )


def _of_predictor(nodes: Any, output: int) -> _Nodes:
    is_leaf = nodes["is_leaf"].astype(bool)
    return _Nodes(
        feature=np.where(is_leaf, LEAF, nodes["feature_idx"]),
        threshold=nodes["num_threshold"],
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        is_missing_left=nodes["missing_go_to_left"].astype(bool),
        value=_means(nodes, is_leaf)[:, None],
        output=output,
    )


def _means(nodes: Any, is_leaf: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the values of leaves, and at inner nodes the means over the training rows below them.

    What the nodes store there is of another scale. A child is always behind its parent.
    """
    means: NDArray[np.float64] = nodes["value"].astype(np.float64)
    counts = nodes["count"]
    for node in reversed(np.flatnonzero(~is_leaf).tolist()):
        children = [nodes["left"][node], nodes["right"][node]]
        means[node] = np.average(means[children], weights=counts[children])
    return means


def _joined(trees: Sequence[_Nodes], n_outputs: int) -> Trees:
    ordered = [_with_adjacent_children(tree) for tree in trees]
    sizes = [len(tree.feature) for tree in ordered]
    roots = np.cumsum([0, *sizes[:-1]])
    return Trees(
        feature=_concatenated([tree.feature for tree in ordered], np.int32),
        threshold=_concatenated([tree.threshold for tree in ordered], np.float64),
        left=_concatenated([tree.left + root for tree, root in zip(ordered, roots, strict=True)], np.int32),
        is_missing_left=_concatenated([tree.is_missing_left for tree in ordered], np.bool_),
        value=_concatenated([tree.value for tree in ordered], np.float64),
        roots=roots.astype(np.int32),
        output=np.array([tree.output for tree in ordered], dtype=np.int32),
        n_outputs=n_outputs,
    )


def _concatenated(arrays: Sequence[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(arrays).astype(dtype)


def _with_adjacent_children(tree: _Nodes) -> _Nodes:
    """Return the tree with its nodes level by level, so that a right child is next to its left one."""
    levels = [np.zeros(1, dtype=np.int64)]
    while len(inner := levels[-1][tree.feature[levels[-1]] != LEAF]):
        levels.append(np.column_stack((tree.left[inner], tree.right[inner])).ravel().astype(np.int64))
    order = np.concatenate(levels)
    new_position = np.empty(len(tree.feature), dtype=np.int64)
    new_position[order] = np.arange(len(order))
    feature = tree.feature[order]
    left = np.where(feature == LEAF, 0, new_position[np.where(feature == LEAF, 0, tree.left[order])])
    return _Nodes(
        feature,
        tree.threshold[order],
        left,
        left + 1,
        tree.is_missing_left[order],
        tree.value[order],
        tree.output,
    )
