"""The candidates of benchmarks/scoring.py: `fit` saves a model, any other name scores a file with it.

    scoring_candidates.py fit ALGORITHM TABLE FOLDER
    scoring_candidates.py CANDIDATE TABLE FOLDER OUTPUT

Each imports only what it uses, since its whole process is measured, and prints its peak memory in KiB.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

SETTINGS: dict[str, dict[str, Any]] = {
    "LogisticRegression": {},
    "RandomForest": {"n_estimators": 100, "max_depth": 10},
    "XGBoost": {"n_estimators": 200, "max_depth": 6},
    "HistGradientBoosting": {},
}


def fit(algorithm: str, table: str, folder: str) -> None:
    """Save a plain pipeline, by joblib and as a model of MLflow."""
    import joblib  # noqa: PLC0415
    import mlflow  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415
    from sklearn.compose import make_column_transformer  # noqa: PLC0415
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: PLC0415

    frame = pd.read_csv(table)
    features, target = frame.drop(columns=["patient_id", "target"]), frame["target"] == "yes"
    texts = list(features.select_dtypes("object"))
    numbers = [name for name in features if name not in texts]
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
    )
    model = make_pipeline(columns, _estimator(algorithm)).fit(features, target)
    joblib.dump(model, Path(folder) / "model.joblib")
    mlflow.sklearn.save_model(
        model, Path(folder) / "mlflow", pyfunc_predict_fn="predict_proba", serialization_format="cloudpickle"
    )


def _estimator(algorithm: str) -> Any:
    settings = {**SETTINGS[algorithm], "random_state": 0}
    if algorithm == "XGBoost":
        from xgboost import XGBClassifier  # noqa: PLC0415

        return XGBClassifier(**settings, n_jobs=1)
    if algorithm == "LogisticRegression":
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

        return LogisticRegression(max_iter=1000)
    from sklearn import ensemble  # noqa: PLC0415

    return getattr(ensemble, f"{algorithm}Classifier")(**settings)


def ours(table: str, folder: str, output: str) -> None:
    """Score as `mlops score` does: with checks, statuses, profile and drift report."""
    from mlops.pipelines.inference_pipeline import InferencePipeline  # noqa: PLC0415

    InferencePipeline(folder).execute(table, output)


def mlflow_pyfunc(table: str, folder: str, output: str) -> None:
    """Score with the model as MLflow serves it."""
    import mlflow.pyfunc  # noqa: PLC0415

    model = mlflow.pyfunc.load_model(str(Path(folder) / "mlflow"))
    _write(table, output, model.predict)


def plain_script(table: str, folder: str, output: str) -> None:
    """Score with the pipeline from joblib."""
    import joblib  # noqa: PLC0415

    _write(table, output, joblib.load(Path(folder) / "model.joblib").predict_proba)


def _write(table: str, output: str, predict: Any) -> None:
    import pandas as pd  # noqa: PLC0415

    frame = pd.read_csv(table)
    probability = predict(frame.drop(columns=["patient_id", "target"]))[:, 1]
    written = pd.DataFrame({"patient_id": frame["patient_id"], "probability": probability})
    written.assign(prediction=probability >= 0.5).to_csv(output, index=False)


def read_csv_alone(table: str, _folder: str, _output: str) -> None:
    """Read the file in chunks with known types, and nothing else: what any reader through pandas needs."""
    import pandas as pd  # noqa: PLC0415

    first = pd.read_csv(table, nrows=1_000).drop(columns="patient_id")
    types = {name: "category" if kind == "object" else "float64" for name, kind in first.dtypes.items()}
    for _ in pd.read_csv(table, dtype={"patient_id": str, **types}, chunksize=50_000):
        pass


CANDIDATES = {
    "ours": ours,
    "MLflow pyfunc": mlflow_pyfunc,
    "plain script": plain_script,
    "pandas.read_csv alone": read_csv_alone,
}


def _peak_kib() -> int:
    """Return the most memory that this process had, on Linux; not that of the process it was forked from."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    {"fit": fit, **CANDIDATES}[sys.argv[1]](*sys.argv[2:])
    print(_peak_kib())
