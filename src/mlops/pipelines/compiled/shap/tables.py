"""Exact TreeSHAP of boosted trees, looked up in tables that are made once for a model.

What a leaf adds to each column depends only on the answers of a row to the questions on the path to it. A
table says what the leaves of a part of a tree add, for each of at most 256 combinations of answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mlops.pipelines.compiled.column_groups import ColumnGroups
from mlops.pipelines.compiled.shap.parts import MAX_QUESTIONS, Leaf, TreeParts, add_tree

type _Floats = NDArray[np.float64]
type _Integers = NDArray[np.int64]
type _Question = tuple[int, float, bool]  # column, condition, whether a missing value goes left

# of all tables of a model; more would take as long to make as XGBoost's own way takes for many rows
MAX_NUMBERS = 8_000_000
_CHUNK = 2_000_000
_BLOCK_ROWS = 16384  # the columns of a block stay in the cache
_FEW_ROWS = 64
# Gauss-Legendre quadrature on 0 to 1: exact for the polynomials of at most eight columns
_points, _weights = np.polynomial.legendre.leggauss(MAX_QUESTIONS // 2)
_POINTS, _WEIGHTS = (_points + 1.0) / 2.0, _weights / 2.0


@dataclass(frozen=True)
class ShapTables:
    """What the columns of a file add to one output, by the answers of a row.

    `columns`, `conditions` and `is_missing_left` have the shape (parts, 8); questions that a part does not
    have are answered by "right". `values` are the tables one after the other; an entry is a table: `offsets`
    says where it begins, `groups` to which column it belongs and `parts` whose answers count. Shape
    (entries,), part by part.

    References
    ----------
    Lundberg et al., From local explanations to global understanding with explainable AI for trees, 2020;
    Yang, Fast TreeSHAP, 2021 (tables by leaf).
    """

    columns: _Integers
    conditions: NDArray[np.float32]
    is_missing_left: NDArray[np.bool_]
    n_questions: _Integers
    values: _Floats
    offsets: _Integers
    groups: _Integers
    parts: _Integers
    n_groups: int

    @classmethod
    def of(cls, trees: Sequence[Mapping[str, Any]], groups: ColumnGroups, max_numbers: int) -> Self | None:
        """Make the tables of trees in XGBoost's JSON; None where they would have more numbers than that.

        Trees with more than eight questions on a path, and splits of sets of categories, have no tables.
        """
        parts = TreeParts()
        for tree in trees:
            is_too_large = len(parts.entries) << (MAX_QUESTIONS // 2) > max_numbers
            if is_too_large or not add_tree(parts, tree, groups.of_column):
                return None
        return cls._of_parts(parts, len(groups.names), max_numbers)

    @classmethod
    def _of_parts(cls, parts: TreeParts, n_groups: int, max_numbers: int) -> Self | None:
        n_questions = np.array([len(part) for part in parts.questions], dtype=np.int64)
        pairs = np.array(list(parts.entries), dtype=np.int64).reshape(-1, 2)
        ends = np.cumsum(1 << n_questions[pairs[:, 0]])
        if len(ends) and ends[-1] > max_numbers:
            return None
        offsets = np.concatenate(([0], ends[:-1])).astype(np.int64)[: len(ends)]
        values = np.zeros(int(ends[-1]) if len(ends) else 0)
        for (n_bits, _), leaves in parts.leaves.items():
            _add_leaves(values, offsets, leaves, n_bits)
        shape = (len(n_questions), MAX_QUESTIONS)
        columns, conditions = np.zeros(shape, np.int64), np.full(shape, -np.inf, np.float32)
        is_missing_left = np.zeros(shape, np.bool_)
        for part, questions in enumerate(parts.questions):
            for place, (column, condition, goes_left) in enumerate(questions):
                columns[part, place], conditions[part, place] = column, condition
                is_missing_left[part, place] = goes_left
        return cls(
            columns,
            conditions,
            is_missing_left,
            n_questions,
            values,
            offsets,
            pairs[:, 1],
            pairs[:, 0],
            n_groups,
        )

    def sums(self, matrix: NDArray[np.float32]) -> _Floats:
        """Return what the groups add, shape (rows, groups), of a matrix of shape (rows, columns).

        Few rows are looked up in all tables at once, many rows table by table. Both add in the same order.
        """
        if len(matrix) <= _FEW_ROWS:
            return self._at_once(matrix)
        sums = np.empty((self.n_groups, len(matrix)))
        for start in range(0, len(matrix), _BLOCK_ROWS):
            rows = slice(start, start + _BLOCK_ROWS)
            sums[:, rows] = self._table_by_table(np.ascontiguousarray(matrix[rows].T))
        return sums.T

    def _at_once(self, matrix: NDArray[np.float32]) -> _Floats:
        values = matrix[:, self.columns]
        with np.errstate(invalid="ignore"):
            is_left = np.where(self.is_missing_left, ~(values >= self.conditions), values < self.conditions)
        answers = np.packbits(is_left, axis=2, bitorder="little")[:, :, 0]
        added = self.values[self.offsets + answers[:, self.parts]]
        bins = self.groups + self.n_groups * np.arange(len(matrix))[:, None]
        n_bins = len(matrix) * self.n_groups
        sums: _Floats = np.bincount(bins.ravel(), added.ravel(), n_bins).astype(np.float64)
        return sums.reshape(len(matrix), self.n_groups)

    def _table_by_table(self, columns: NDArray[np.float32]) -> _Floats:
        """Return the sums, shape (groups, rows), of a block of shape (columns, rows)."""
        sums = np.zeros((self.n_groups, columns.shape[1]))
        for questions, tables in self._parts:
            answers = _answers(questions, columns)
            for group, table in tables:
                sums[group] += table.take(answers)
        return sums

    @cached_property
    def _parts(self) -> list[tuple[list[_Question], list[tuple[int, _Floats]]]]:
        """Return the questions of each part, in Python's own numbers, and its tables with their groups."""
        questions = zip(self.columns, self.conditions, self.is_missing_left, strict=True)
        entries = zip(self.parts.tolist(), self.groups.tolist(), self.offsets.tolist(), strict=True)
        numbers = self.n_questions.tolist()
        tables: list[list[tuple[int, _Floats]]] = [[] for _ in numbers]
        for part, group, offset in entries:
            tables[part].append((group, self.values[offset : offset + (1 << numbers[part])]))
        return [
            (list(zip(*(of_part[:n].tolist() for of_part in part), strict=True)), of_part_tables)
            for part, n, of_part_tables in zip(questions, numbers, tables, strict=True)
        ]


def _answers(questions: Sequence[_Question], columns: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the answers of each row to a part: a bit for each question, 1 for left, the first one lowest."""
    answers, is_left = np.zeros(columns.shape[1], np.uint8), np.empty(columns.shape[1], np.bool_)
    bits = is_left.view(np.uint8)
    for column, condition, is_missing_left in reversed(questions):
        if is_missing_left:
            np.logical_not(np.greater_equal(columns[column], condition, out=is_left), out=is_left)
        else:
            np.less(columns[column], condition, out=is_left)
        np.add(answers, answers, out=answers)  # takes a sixth of the time of a shift
        np.bitwise_or(answers, bits, out=answers)
    return answers.astype(np.intp)


def _add_leaves(values: _Floats, offsets: _Integers, leaves: Sequence[Leaf], n_questions: int) -> None:
    """Add what leaves with as many columns on the path give, to the tables of parts with as many questions.

    For a column that a row answers as the leaf asks, or not, its Shapley value is an integral over the share
    of the other columns that are known.
    """
    answers = np.arange(1 << n_questions)
    n_columns = len(leaves[0].masks)
    step = max(1, _CHUNK // (len(answers) * n_columns))
    combinations = (np.arange(1 << n_columns)[:, None] >> np.arange(n_columns)) & 1
    for start in range(0, len(leaves), step):
        some = leaves[start : start + step]
        masks, expected = np.array([leaf.masks for leaf in some]), np.array([leaf.answers for leaf in some])
        is_answered = (answers[None, :, None] & masks[:, None, :]) == expected[:, None, :]
        combination = is_answered @ (1 << np.arange(n_columns))
        shares = np.array([leaf.shares for leaf in some])
        leaf_values = np.array([leaf.value for leaf in some])
        added = _shapley_values(combinations, shares) * leaf_values[:, None, None]
        of_answers = np.take_along_axis(added, combination[:, :, None], axis=1)
        tables = offsets[np.array([leaf.entries for leaf in some])]
        np.add.at(values, tables[:, None, :] + answers[None, :, None], of_answers)


def _shapley_values(combinations: _Integers, shares: _Floats) -> _Floats:
    """Return the Shapley values of leaves of value 1, shape (leaves, combinations, columns).

    Parameters
    ----------
    combinations
        Which columns a row answers as the leaf asks, as 0 and 1, shape (combinations, columns).
    shares
        Of the training rows that do, shape (leaves, columns).
    """
    answered, expected = combinations[None, :, :], shares[:, None, :]
    total = np.zeros((len(shares), *combinations.shape))
    for point, weight in zip(_POINTS, _WEIGHTS, strict=True):
        factors = point * answered + (1.0 - point) * expected
        total += weight * factors.prod(axis=2, keepdims=True) / factors
    return (answered - expected) * total
