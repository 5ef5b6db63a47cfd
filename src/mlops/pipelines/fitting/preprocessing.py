"""The matrix that an algorithm takes: numbers as they are or filled and scaled, categories as columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from mlops.algorithms.definitions import Algorithm
from mlops.models.settings.columns import Direction
from mlops.models.settings.group import TaskName
from mlops.pipelines.artifacts.model import FeatureColumn
from mlops.pipelines.compiled.encoding import MISSING

type Step = tuple[str, Any, list[str]]

MAX_CATEGORIES = 40
MAX_CATEGORY_COLUMNS = 2_000
_MIN_CATEGORIES = 4
_MIN_CATEGORY_ROWS = 10
_MEANS, _TEXTS = "means", "texts"
_N_PARTS = 5
_SIGNS: Mapping[Direction, int] = {"increasing": 1, "decreasing": -1}


def make_preprocessing(
    features: tuple[FeatureColumn, ...],
    algorithm: Algorithm,
    task: TaskName,
    y: np.ndarray,
    *,
    folds: np.ndarray | None = None,
) -> Any:
    """Return an unfitted `ColumnTransformer` for the features, addressed by name.

    Missing numbers become the median with an indicator beside it, unless the algorithm takes them as such.
    A category of fewer than 10 rows (2 % in small files), or beyond the 40 most frequent, shares one column
    with those that were never seen at all. All columns of categories share 2,000 columns of the matrix. One
    with more categories than get columns of their own is there a second time, as the mean target of the
    category (one mean per class), drawn towards the mean of all the more, the fewer rows it has.
    `fit_transform` takes the mean of each training row from the other folds, so that no row sees its own
    target. A column of texts is there as what a linear model says of its words, made in the same way.

    The matrix is dense: XGBoost reads an absent cell of a sparse one as missing, not as 0.

    Parameters
    ----------
    features, algorithm, task
        What is to be prepared, and for which estimator.
    y
        The target of the rows that it will be fitted to.
    folds
        The fold of each of these rows, which keeps persons and groups whole; without them rows are divided
        one by one.
    """
    from sklearn.compose import ColumnTransformer

    steps = [
        *_number_steps(features, algorithm),
        *_category_steps(features, algorithm, task, y, folds),
        *_text_steps(features, algorithm, task, folds),
    ]
    return ColumnTransformer(steps, sparse_threshold=0.0, verbose_feature_names_out=False)


def column_directions(
    features: tuple[FeatureColumn, ...], monotonic: Mapping[str, Direction], n_columns: int
) -> tuple[int, ...] | None:
    """Return 1, -1 or 0 for each column of the prepared matrix; None where no direction is set.

    Algorithms that obey directions take numbers as they are, so these are the first columns.
    """
    if not monotonic:
        return None
    numeric = [column.name for column in features if column.kind == "numeric"]
    signs = [_SIGNS[monotonic[name]] if name in monotonic else 0 for name in numeric]
    return (*signs, *[0] * (n_columns - len(signs)))


def _number_steps(features: tuple[FeatureColumn, ...], algorithm: Algorithm) -> Iterator[Step]:
    numeric = [column.name for column in features if column.kind == "numeric"]
    if numeric:
        yield "numbers", _for_numbers(algorithm), numeric


def _category_steps(
    features: tuple[FeatureColumn, ...],
    algorithm: Algorithm,
    task: TaskName,
    y: np.ndarray,
    folds: np.ndarray | None,
) -> Iterator[Step]:
    categorical = [column for column in features if column.kind == "categorical"]
    if not categorical:
        return
    n_means = len(np.unique(y)) if task == "multiclass" else 1
    max_categories, has_means = _share(len(categorical), n_means)
    names = [column.name for column in categorical]
    yield "categories", _for_categories(len(y), max_categories), names
    many = [column.name for column in categorical if _has_more(column, max_categories)]
    if many and has_means:
        yield _MEANS, _for_means(algorithm, task, folds), many


def _text_steps(
    features: tuple[FeatureColumn, ...], algorithm: Algorithm, task: TaskName, folds: np.ndarray | None
) -> Iterator[Step]:
    names = [column.name for column in features if column.kind == "text"]
    if names:
        yield _TEXTS, _for_texts(algorithm, task, folds), names


def forget_folds(preprocessing: Any) -> None:
    """Take the folds of the training rows out of a fitted preprocessing: no one needs them after the fit."""
    steps = [*preprocessing.transformers, *preprocessing.transformers_]
    for name, step, _ in steps:
        if name in (_MEANS, _TEXTS):
            step.set_params(encode__cv=_N_PARTS)


def _share(n_columns: int, n_means: int) -> tuple[int, bool]:
    """Return how many categories of each column get columns, and whether there is room for means, too."""
    room = MAX_CATEGORY_COLUMNS // n_columns
    has_means = room - n_means >= _MIN_CATEGORIES
    return max(_MIN_CATEGORIES, min(MAX_CATEGORIES, room - n_means if has_means else room)), has_means


def _has_more(column: FeatureColumn, max_categories: int) -> bool:
    return column.levels is None or len(column.levels) > max_categories


def _for_numbers(algorithm: Algorithm) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    if algorithm.accepts_missing:
        return "passthrough"
    steps: list[tuple[str, Any]] = [("impute", SimpleImputer(strategy="median", add_indicator=True))]
    if algorithm.needs_scaling:
        steps.append(("scale", StandardScaler()))
    return Pipeline(steps)


def _for_means(algorithm: Algorithm, task: TaskName, folds: np.ndarray | None) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler, TargetEncoder

    encoder = TargetEncoder(
        target_type="continuous" if task == "regression" else "auto", cv=_cross_fit_parts(folds)
    )
    steps = [("impute", SimpleImputer(strategy="constant", fill_value=MISSING)), ("encode", encoder)]
    return Pipeline([*steps, ("scale", StandardScaler())] if algorithm.needs_scaling else steps)


def _for_texts(algorithm: Algorithm, task: TaskName, folds: np.ndarray | None) -> Any:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    from mlops.pipelines.fitting.text_encoder import TextEncoder  # noqa: PLC0415

    encoder = TextEncoder(is_regression=task == "regression", cv=_cross_fit_parts(folds))
    steps: list[tuple[str, Any]] = [("encode", encoder)]
    return Pipeline([*steps, ("scale", StandardScaler())] if algorithm.needs_scaling else steps)


def _cross_fit_parts(folds: np.ndarray | None) -> Any:
    """Return what divides training rows so that none sees its own target."""
    from sklearn.model_selection import KFold, PredefinedSplit

    is_by_fold = folds is not None and len(np.unique(folds)) > 1
    return PredefinedSplit(folds) if is_by_fold else KFold(_N_PARTS, shuffle=True, random_state=0)


def _for_categories(n_rows: int, max_categories: int) -> Any:
    from mlops.pipelines.fitting.one_hot import CategoryEncoder  # noqa: PLC0415

    min_rows = max(1, min(_MIN_CATEGORY_ROWS, n_rows // 50))
    return CategoryEncoder(min_rows=min_rows, max_categories=max_categories)
