"""What each column adds to the output of trees on the way of a row from the roots to the leaves."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mlops.pipelines.compiled.column_groups import ColumnGroups
from mlops.pipelines.compiled.trees import LEAF, Trees

# numbers of all tables of one model, up to which they are kept for the next rows
_MAX_KEPT = 4_000_000


@dataclass(frozen=True, slots=True)
class _Path:
    """The groups that a tree looks at, the base last, and what each adds on the way to each node.

    `added` has the shape (groups, nodes).
    """

    groups: NDArray[np.int64]
    added: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths of all trees, summed up to the columns of a file.

    Each step adds the difference of the means of both nodes to the column that the upper one looks at.

    References
    ----------
    Saabas, Interpreting random forests, 2014.
    """

    trees: Trees
    groups: ColumnGroups
    _kept: dict[tuple[int, int], _Path] = field(default_factory=dict)

    def contributions(self, leaves: NDArray[np.int64], outputs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what the columns add to an output.

        Parameters
        ----------
        leaves
            The leaf of each row in each tree, counted from the tree's root, shape (rows, trees).
        outputs
            The output that is looked at, by row.

        Returns
        -------
        Shape (rows, groups + 1): the last one is the sum of the roots' means; all add up to the leaves.
        """
        sums = np.zeros((len(self.groups.names) + 1, len(leaves)))
        for output in np.unique(outputs).tolist():
            rows = np.flatnonzero(outputs == output)
            sums[:, rows] = self._of_output(np.ascontiguousarray(leaves[rows].T), output)
        return sums.T

    def _of_output(self, leaves: NDArray[np.int64], output: int) -> NDArray[np.float64]:
        """Return the sums of one output, shape (groups + 1, rows), for leaves of shape (trees, rows)."""
        sums = np.zeros((len(self.groups.names) + 1, leaves.shape[1]))
        is_shared = self.trees.value.shape[1] > 1
        for tree, nodes in enumerate(self.trees.slices()):
            if is_shared or self.trees.output[tree] == output:
                path = self._path(tree, nodes, output if is_shared else 0)
                for group, added in zip(path.groups.tolist(), path.added, strict=True):
                    sums[group] += added.take(leaves[tree])
        return sums

    def _path(self, tree: int, nodes: slice, output: int) -> _Path:
        if (tree, output) in self._kept:
            return self._kept[tree, output]
        path = self._make_path(nodes, output)
        if self.trees.value.size * len(self.groups.names) <= _MAX_KEPT:
            self._kept[tree, output] = path
        return path

    def _make_path(self, nodes: slice, output: int) -> _Path:
        """Go down a tree level by level."""
        feature, value = self.trees.feature[nodes], self.trees.value[nodes, output]
        left, inner = self.trees.left[nodes] - nodes.start, feature != LEAF
        groups, places = np.unique(self.groups.of_column[feature[inner]], return_inverse=True)
        place = np.full(len(feature), LEAF)
        place[inner] = places
        added = np.zeros((len(groups) + 1, len(feature)))
        added[-1] = value[0]
        level = np.zeros(1, dtype=np.int64)
        while len(level := level[inner[level]]):
            for child in (left[level], left[level] + 1):
                added[:, child] = added[:, level]
                added[place[level], child] += value[child] - value[level]
            level = np.concatenate((left[level], left[level] + 1))
        return _Path(np.append(groups, len(self.groups.names)), added)
