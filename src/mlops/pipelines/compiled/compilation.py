"""From a fitted scikit-learn pipeline to a compiled model, and the check that both say the same.

A pipeline that is none of the known forms is not compiled; then it scores itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops.pipelines.compiled import booster, scikit_learn_trees
from mlops.pipelines.compiled.booster import Booster
from mlops.pipelines.compiled.cells import Cells
from mlops.pipelines.compiled.compiled_model import BoosterModel, CompiledModel, LargeForest, TreeModel
from mlops.pipelines.compiled.encoding import MISSING, CategoryTable, Encoding, NumberBlock
from mlops.pipelines.compiled.linear import LinearModel
from mlops.pipelines.compiled.outputs import Link
from mlops.pipelines.compiled.texts import TextTable
from mlops.pipelines.compiled.tree_booster import as_booster_content, can_be_ranked
from mlops.pipelines.compiled.trees import Trees

TOLERANCE = 1e-6
# XGBoost's predictor is faster than scikit-learn's on trees of up to about this many nodes, slower on larger
MAX_NODES_PER_TREE = 1_000
_BINARY = 2
_FORESTS = ("RandomForest", "ExtraTrees")
_STEPS = (
    "numbers",
    "categories",
    "means",
    "texts",
)  # of the `ColumnTransformer` that `make_preprocessing` returns


def compile_pipeline(pipeline: Any) -> CompiledModel | None:
    """Return the compiled form of a fitted pipeline of `preprocessing` and `estimator`; None without one."""
    encoding = _encoding(pipeline.named_steps["preprocessing"])
    estimator = pipeline.named_steps["estimator"]
    name = type(estimator).__name__
    compile_form = next((form for start, form in _FORMS.items() if name.startswith(start)), None)
    if compile_form is None or encoding is None:
        return None
    return compile_form(estimator, encoding)


def explain_forest(pipeline: Any) -> LargeForest | None:
    """Return what explains a fitted pipeline that was not compiled; None unless it is a forest."""
    encoding = _encoding(pipeline.named_steps["preprocessing"])
    estimator = pipeline.named_steps["estimator"]
    if encoding is None or not type(estimator).__name__.startswith(_FORESTS):
        return None
    n_classes = len(getattr(estimator, "classes_", ()))
    return LargeForest(encoding, scikit_learn_trees.forest(estimator.estimators_, n_classes))


def with_training_means(compiled: CompiledModel, cells: Mapping[str, Cells]) -> CompiledModel:
    """Return the model with what its contributions are relative to, taken from training rows."""
    if not isinstance(compiled.form, LinearModel):
        return compiled
    return replace(compiled, form=replace(compiled.form, means=compiled.form.encoding.means(cells)))


def largest_difference(expected: NDArray[np.float64], actual: NDArray[np.float64]) -> float:
    """Return the largest difference of two forms on the same rows.

    Parameters
    ----------
    expected, actual
        Probabilities, shape (rows, classes), or predicted numbers, shape (rows,); the difference of numbers
        is in units of their standard deviation.
    """
    unit = (float(expected.std()) or 1.0) if expected.ndim == 1 else 1.0
    return float(np.abs(actual - expected).max(initial=0.0)) / unit


def _regression(estimator: Any, encoding: Encoding) -> CompiledModel:
    return CompiledModel(_linear(estimator, encoding), "identity")


def _boosted(estimator: Any, encoding: Encoding) -> CompiledModel:
    content = bytes(estimator.get_booster().save_raw("ubj"))
    is_classifier = hasattr(estimator, "classes_")
    form = BoosterModel(encoding, Booster.from_bytes(content))
    return CompiledModel(form, "shares" if is_classifier else "identity")


def _logistic(estimator: Any, encoding: Encoding) -> CompiledModel | None:
    is_binary = len(estimator.classes_) == _BINARY
    if not is_binary and estimator.solver == "liblinear":  # one model per class, with another link
        return None
    return CompiledModel(_linear(estimator, encoding), "logistic" if is_binary else "softmax")


def _linear(estimator: Any, encoding: Encoding) -> LinearModel:
    coefficients = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
    intercept = np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64), (len(coefficients),))
    return LinearModel(encoding, coefficients, np.array(intercept))


def _forest(estimator: Any, encoding: Encoding) -> CompiledModel | None:
    n_classes = len(getattr(estimator, "classes_", ()))
    n_nodes = sum(tree.tree_.node_count for tree in estimator.estimators_)
    if n_nodes > MAX_NODES_PER_TREE * len(estimator.estimators_) or not booster.is_available():
        return None
    trees = scikit_learn_trees.forest(estimator.estimators_, n_classes)
    base = np.zeros(trees.n_outputs)
    if not n_classes:  # shares stay as they are: their exact sums are compared with a threshold
        trees, base = trees.centred()
    form = _tree_model(encoding, trees, 1.0 / len(trees.roots), base, is_ranked=False)
    return CompiledModel(form, "shares" if n_classes else "identity")


def _histogram_boosting(estimator: Any, encoding: Encoding) -> CompiledModel | None:
    has_other_link = getattr(estimator, "loss", "squared_error") in ("gamma", "poisson")
    if has_other_link or _has_categories(estimator) or not booster.is_available():
        return None
    trees = scikit_learn_trees.histogram_boosting(estimator._predictors)
    if not can_be_ranked(trees, encoding.n_columns):
        return None
    base = np.asarray(estimator._baseline_prediction, dtype=np.float64).ravel()
    n_classes = len(getattr(estimator, "classes_", ()))
    links: dict[int, Link] = {0: "identity", _BINARY: "logistic"}
    return CompiledModel(
        _tree_model(encoding, trees, 1.0, base, is_ranked=True), links.get(n_classes, "softmax")
    )


_FORMS: Mapping[str, Callable[[Any, Encoding], CompiledModel | None]] = {
    "LogisticRegression": _logistic,
    "LinearRegression": _regression,
    "Ridge": _regression,
    **dict.fromkeys(_FORESTS, _forest),
    "HistGradientBoosting": _histogram_boosting,
    "XGB": _boosted,
}


def _has_categories(estimator: Any) -> bool:
    return any(
        predictor.nodes["is_categorical"].any()
        for iteration in estimator._predictors
        for predictor in iteration
    )


def _tree_model(
    encoding: Encoding, trees: Trees, factor: float, base: NDArray[np.float64], *, is_ranked: bool
) -> TreeModel:
    content = as_booster_content(trees, encoding.n_columns, is_ranked=is_ranked)
    return TreeModel(encoding, trees, Booster.from_bytes(content), factor, base, is_ranked)


def _encoding(preprocessing: Any) -> Encoding | None:
    """Return the blocks of a fitted `ColumnTransformer` of ours; None when a step is of another kind."""
    numbers: NumberBlock | None = None
    tables: list[CategoryTable | TextTable] = []
    n_columns = 0
    for name, step, names in preprocessing.transformers_:
        if name not in _STEPS:
            return None
        columns = preprocessing.output_indices_[name]
        n_columns = max(n_columns, columns.stop)
        positions = np.arange(columns.start, columns.stop)
        if name == "numbers":
            numbers = _number_block(step, tuple(names), positions)
            if numbers is None:
                return None
        else:
            tables += _TABLES[name](step, names, positions)
    return Encoding(n_columns, numbers, tuple(tables))


def _number_block(step: Any, names: tuple[str, ...], columns: NDArray[np.int64]) -> NumberBlock | None:
    if not hasattr(step, "named_steps"):  # passed through: missing values stay missing
        count = len(names)
        nothing = np.empty(0, dtype=np.int64)
        return NumberBlock(names, np.full(count, np.nan), nothing, np.zeros(count), np.ones(count), columns)
    imputer = step.named_steps["impute"]
    fill = np.asarray(imputer.statistics_, dtype=np.float64)
    if np.isnan(fill).any():  # a column without a value: the imputer leaves it out
        return None
    marked = np.asarray(imputer.indicator_.features_, dtype=np.int64)
    mean, scale = _scaling(step, len(columns))
    return NumberBlock(names, fill, marked, mean, scale, columns)


def _scaling(step: Any, n_columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    scaler = step.named_steps.get("scale")
    if scaler is None:
        return np.zeros(n_columns), np.ones(n_columns)
    return np.asarray(scaler.mean_), np.asarray(scaler.scale_)


def _one_hot_tables(step: Any, names: Any, columns: NDArray[np.int64]) -> list[CategoryTable]:
    tables, start = [], 0
    for name, categories, has_others in zip(names, step.categories_, step.has_others_, strict=True):
        width = len(categories) + bool(has_others)
        rows = np.zeros((len(categories) + 1, width))
        rows[np.arange(len(categories)), np.arange(len(categories))] = 1.0
        rows[len(categories), len(categories) :] = 1.0  # all others share the last column, where there is one
        missing = categories.index(MISSING) if MISSING in categories else len(categories)
        tables.append(CategoryTable(name, tuple(categories), rows, missing, columns[start : start + width]))
        start += width
    return tables


def _mean_tables(step: Any, names: Any, columns: NDArray[np.int64]) -> list[CategoryTable]:
    encoder = step.named_steps["encode"]
    width = len(columns) // len(names)
    mean, scale = _scaling(step, len(columns))
    of_all = np.broadcast_to(np.asarray(encoder.target_mean_, dtype=np.float64), (width,))
    tables = []
    for number, (name, categories) in enumerate(zip(names, encoder.categories_, strict=True)):
        place = slice(number * width, (number + 1) * width)
        means = np.column_stack(encoder.encodings_[place])
        rows = (np.vstack((means, of_all)) - mean[place]) / scale[place]
        texts = tuple(str(category) for category in categories)
        missing = texts.index(MISSING) if MISSING in texts else len(texts)
        tables.append(CategoryTable(name, texts, rows, missing, columns[place]))
    return tables


def _text_tables(step: Any, names: Any, columns: NDArray[np.int64]) -> list[TextTable]:
    encoder = step.named_steps["encode"]
    width = len(columns) // len(names)
    mean, scale = _scaling(step, len(columns))
    tables = []
    for number, name in enumerate(names):
        place = slice(number * width, (number + 1) * width)
        tables.append(
            TextTable(
                name,
                encoder.idf_[number],
                encoder.weights_[number] / scale[place],
                (encoder.intercept_[number] - mean[place]) / scale[place],
                columns[place],
            )
        )
    return tables


_TABLES: Mapping[str, Callable[[Any, Any, NDArray[np.int64]], Sequence[CategoryTable | TextTable]]] = {
    "categories": _one_hot_tables,
    "means": _mean_tables,
    "texts": _text_tables,
}
