"""Trees of any origin as a model of XGBoost, whose predictor is several times faster than others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops.pipelines.compiled.trees import LEAF, MAX_THRESHOLDS, Trees

_NO_PARENT = 2**31 - 1


def can_be_ranked(trees: Trees, n_columns: int) -> bool:
    """Whether the ranks among the thresholds of each column fit into a byte."""
    return all(len(trees.thresholds_of(column)) <= MAX_THRESHOLDS for column in range(n_columns))


def as_booster_content(trees: Trees, n_columns: int, *, is_ranked: bool) -> bytes:
    """Return the trees in XGBoost's own format; its sums start at 0.

    XGBoost goes left where a value is *below* a 32-bit condition. For values in 32 bits that is the next
    number above the threshold, rounded down; for ranks it is the threshold's rank plus one.

    Parameters
    ----------
    trees
        What is to be rewritten.
    n_columns
        The columns of the matrix.
    is_ranked
        Whether the matrix will hold ranks instead of values.
    """
    import xgboost

    conditions = _rank_conditions(trees, n_columns) if is_ranked else _conditions(trees.threshold)
    width = trees.value.shape[1]
    slices = trees.slices()
    documents = [
        _tree(number, _nodes(trees, nodes, conditions), n_columns, width)
        for number, nodes in enumerate(slices)
    ]
    outputs = trees.output.tolist() if width == 1 else [0] * len(slices)
    booster = xgboost.Booster()
    booster.load_model(bytearray(json.dumps(_model(documents, outputs, n_columns, trees.n_outputs)).encode()))
    return bytes(booster.save_raw("ubj"))


def _conditions(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the smallest 32-bit number above each threshold: for 32-bit values `x <= t` is `x < that`."""
    rounded = thresholds.astype(np.float32)
    is_above = rounded.astype(np.float64) > thresholds
    below = np.where(is_above, np.nextafter(rounded, np.float32(-np.inf)), rounded)
    return np.nextafter(below, np.float32(np.inf))


def _rank_conditions(trees: Trees, n_columns: int) -> NDArray[np.float32]:
    conditions = np.zeros(len(trees.threshold), dtype=np.float32)
    for column in range(n_columns):
        nodes = trees.feature == column
        thresholds = trees.thresholds_of(column)
        conditions[nodes] = np.searchsorted(thresholds, trees.threshold[nodes]) + 1
    return conditions


def _nodes(trees: Trees, nodes: slice, conditions: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """Return the arrays of one tree, its positions counted from its root."""
    start, is_leaf = nodes.start, trees.feature[nodes] == LEAF
    left = np.where(is_leaf, -1, trees.left[nodes] - start)
    children = {"left_children": left, "right_children": np.where(is_leaf, -1, left + 1)}
    parents = np.full(len(is_leaf), _NO_PARENT, dtype=np.int64)
    inner = np.flatnonzero(~is_leaf)
    for side in children.values():
        parents[side[inner]] = inner
    return {
        **children,
        "parents": parents,
        "is_leaf": is_leaf,
        "default_left": trees.is_missing_left[nodes].astype(int),
        "split_indices": np.where(is_leaf, 0, trees.feature[nodes]),
        "split_conditions": conditions[nodes],
        "values": trees.value[nodes],
    }


def _tree(number: int, nodes: dict[str, NDArray[Any]], n_columns: int, width: int) -> dict[str, Any]:
    n_nodes, is_leaf = len(nodes["is_leaf"]), nodes["is_leaf"]
    zeros = [0.0] * n_nodes
    document = {
        "id": number,
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
        "loss_changes": zeros,
        "sum_hessian": zeros,
        "split_type": [0] * n_nodes,
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(n_columns),
            "num_nodes": str(n_nodes),
            "size_leaf_vector": str(width),
        },
        "default_left": nodes["default_left"].tolist(),
        "left_children": nodes["left_children"].tolist(),
        "split_indices": nodes["split_indices"].tolist(),
    }
    if width == 1:
        values = nodes["values"][:, 0]
        return document | {
            "base_weights": values.tolist(),
            "parents": nodes["parents"].tolist(),
            "right_children": nodes["right_children"].tolist(),
            "split_conditions": np.where(is_leaf, values, nodes["split_conditions"]).tolist(),
        }
    # a leaf with several numbers: its right child is its position among the leaves
    return document | {
        "base_weights": nodes["values"].ravel().tolist(),
        "leaf_weights": nodes["values"][is_leaf].ravel().tolist(),
        "parents": np.where(nodes["parents"] == _NO_PARENT, -1, nodes["parents"]).tolist(),
        "right_children": np.where(is_leaf, np.cumsum(is_leaf) - 1, nodes["right_children"]).tolist(),
        "split_conditions": np.where(is_leaf, 0.0, nodes["split_conditions"]).tolist(),
    }


def _model(
    documents: Sequence[dict[str, Any]], outputs: Sequence[int], n_columns: int, n_outputs: int
) -> dict[str, Any]:
    n_trees = len(documents)
    base = f"[{','.join(['0E0'] * n_outputs)}]"
    return {
        "version": [3, 0, 0],
        "learner": {
            "attributes": {},
            "feature_names": [],
            "feature_types": [],
            "learner_model_param": {
                "base_score": base,
                "boost_from_average": "0",
                "num_class": "0",
                "num_feature": str(n_columns),
                "num_target": str(n_outputs),
            },
            "objective": {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}},
            "gradient_booster": {
                "name": "gbtree",
                "model": {
                    "cats": {"enc": [], "feature_segments": [], "sorted_idx": []},
                    "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(n_trees)},
                    "iteration_indptr": [*range(n_trees + 1)],
                    "tree_info": list(outputs),
                    "trees": list(documents),
                },
            },
        },
    }
