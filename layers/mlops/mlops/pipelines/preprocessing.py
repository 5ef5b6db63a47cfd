"""From columns to the matrix that an estimator takes: fitted on the training rows, saved with the model."""

from __future__ import annotations

from typing import Any

from mlops.pipelines.algorithm_table import Algorithm
from mlops.pipelines.schema import FeatureColumn

MAX_LEVELS = 40
MAX_LEVEL_COLUMNS = 2_000
_MIN_LEVELS = 4
_MIN_LEVEL_ROWS = 10


def make_preprocessing(features: tuple[FeatureColumn, ...], algorithm: Algorithm, n_rows: int) -> Any:
    """Return an unfitted `ColumnTransformer` for the features, addressed by name.

    Missing numbers become the median with an indicator beside it, unless the algorithm takes them as such.
    A level seen in fewer than 10 rows (2 % in small files), or beyond the 40 most frequent, shares one
    column with the levels that were never seen at all. Many columns of categories share 2,000 columns of the
    matrix.

    The matrix is dense: XGBoost reads an absent cell of a sparse one as missing, not as 0.
    """
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415  a second to import, and only jobs need it

    numeric = [column.name for column in features if column.kind == "numeric"]
    categorical = [column.name for column in features if column.kind == "categorical"]
    steps = []
    if numeric:
        steps.append(("numbers", _for_numbers(algorithm), numeric))
    if categorical:
        steps.append(("categories", _for_categories(n_rows, len(categorical)), categorical))
    return ColumnTransformer(steps, sparse_threshold=0.0, verbose_feature_names_out=False)


def _for_numbers(algorithm: Algorithm) -> Any:
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    if algorithm.accepts_missing:
        return "passthrough"
    steps: list[tuple[str, Any]] = [("impute", SimpleImputer(strategy="median", add_indicator=True))]
    if algorithm.needs_scaling:
        steps.append(("scale", StandardScaler()))
    return Pipeline(steps)


def _for_categories(n_rows: int, n_columns: int) -> Any:
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415
    from sklearn.preprocessing import OneHotEncoder  # noqa: PLC0415

    encoder = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=max(1, min(_MIN_LEVEL_ROWS, n_rows // 50)),
        max_categories=max(_MIN_LEVELS, min(MAX_LEVELS, MAX_LEVEL_COLUMNS // n_columns)),
        sparse_output=False,
    )
    return Pipeline(
        [("impute", SimpleImputer(strategy="constant", fill_value="(missing)")), ("encode", encoder)]
    )
