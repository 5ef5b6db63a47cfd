"""Shapley values of an estimator by the package `shap`, in an environment of its own.

    python reasons_candidates.py FOLDER

Started by `reasons.py`, which writes `estimator.pkl`, `background.npy` and `matrix.npy`; this writes
`values.npy` of shape (rows, columns), those of the second of two classes. Of trees of scikit-learn it also
writes `along_paths.npy`, the contributions along the path (Saabas), as shap computes them.
"""

from __future__ import annotations

import importlib
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np


def main() -> None:
    """Read, explain, write."""
    shap = importlib.import_module("shap")

    folder = Path(sys.argv[1])
    estimator = pickle.loads((folder / "estimator.pkl").read_bytes())
    background, matrix = np.load(folder / "background.npy"), np.load(folder / "matrix.npy")
    if hasattr(estimator, "coef_"):
        masker = shap.maskers.Independent(background, max_samples=len(background))
        values = shap.LinearExplainer(estimator, masker).shap_values(matrix)
    else:
        explainer = shap.TreeExplainer(estimator, feature_perturbation="tree_path_dependent")
        values = explainer.shap_values(matrix, check_additivity=False)
        if hasattr(estimator, "n_iter_") or hasattr(estimator, "estimators_"):
            along_paths = explainer.shap_values(matrix, check_additivity=False, approximate=True)
            save(folder / "along_paths.npy", along_paths)
    save(folder / "values.npy", values)


def save(path: Path, values: Any) -> None:
    """Write the values of the second of two classes, or of the only output."""
    values = np.asarray(values)
    np.save(path, values[:, :, 1] if values.ndim == 3 else values)


if __name__ == "__main__":
    main()
