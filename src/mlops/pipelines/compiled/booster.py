"""XGBoost's compiled predictor, called through its C interface: the Python package would import scipy.

The functions are documented in XGBoost's C API reference: `XGBoosterCreate`, `XGBoosterLoadModelFromBuffer`,
`XGBoosterSetParam`, `XGBoosterPredictFromDense`, `XGDMatrixCreateFromDense`, `XGBoosterPredictFromDMatrix`,
`XGBoosterSaveModelToBuffer`.
Arrays are passed as NumPy's array interface.
"""

from __future__ import annotations

import ctypes
import json
import math
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mlops.infrastructure.extras import require_package
from mlops.models.errors import ArtifactError

# the kinds of results, as the C API numbers them
_VALUE, _MARGIN, _CONTRIBUTIONS, _LEAF = 0, 1, 2, 6
_ALL_TREES = {"training": False, "iteration_begin": 0, "iteration_end": 0, "strict_shape": False}
_LIBRARIES = ("libxgboost.so", "libxgboost.dylib", "xgboost.dll")


class Booster:
    """A booster that only predicts, on one thread, so that the last bit does not depend on the machine.

    `content` is the model in XGBoost's own format.
    """

    def __init__(self, content: bytes, handle: ctypes.c_void_p, library: Any) -> None:
        self.content = content
        self._handle, self._library = handle, library

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read a model in XGBoost's own format (UBJSON).

        Raises
        ------
        ArtifactError
            If the content is not such a model.
        MissingPackageError
            If XGBoost is not installed.
        """
        library, handle = _library(), ctypes.c_void_p()
        _check(library, library.XGBoosterCreate(None, 0, ctypes.byref(handle)))
        booster = cls(content, handle, library)
        _check(library, library.XGBoosterLoadModelFromBuffer(handle, content, ctypes.c_uint64(len(content))))
        _check(library, library.XGBoosterSetParam(handle, b"nthread", b"1"))
        return booster

    def predict(
        self,
        matrix: NDArray[Any],
        *,
        missing: float = math.nan,
        is_raw: bool = False,
        iterations: tuple[int, int] = (0, 0),
    ) -> NDArray[np.float32]:
        """Return the predictions, shape (rows, outputs).

        Parameters
        ----------
        matrix
            Shape (rows, features), any type of number.
        missing
            The value that means "missing".
        is_raw
            Whether the sums are returned instead of what the objective makes of them.
        iterations
            The first iteration whose trees count, and the one behind the last; by default all count.
        """
        matrix = np.ascontiguousarray(matrix)
        options = {**_ALL_TREES, "type": _MARGIN if is_raw else _VALUE, "missing": missing}
        options |= {"iteration_begin": iterations[0], "iteration_end": iterations[1]}
        return self._result(
            len(matrix), self._library.XGBoosterPredictFromDense, _array_interface(matrix), options, None
        )

    def leaves(self, matrix: NDArray[Any], *, missing: float = math.nan) -> NDArray[np.int64]:
        """Return the leaf of each row in each tree, counted from the tree's root, shape (rows, trees)."""
        return self._of_rows(matrix, missing, _LEAF).astype(np.int64)

    def contributions(self, matrix: NDArray[Any]) -> NDArray[np.float32]:
        """Return what each column adds to each output, by exact TreeSHAP.

        Returns
        -------
        Shape (rows, outputs, features + 1): the last column is the expected output; the sum is the raw one.
        """
        flat = self._of_rows(matrix, math.nan, _CONTRIBUTIONS)
        return flat.reshape(len(matrix), -1, matrix.shape[1] + 1)

    def document(self) -> dict[str, Any]:
        """Return the model as XGBoost's JSON describes it."""
        length, text = ctypes.c_uint64(), ctypes.POINTER(ctypes.c_char)()
        save = self._library.XGBoosterSaveModelToBuffer
        code = save(self._handle, b'{"format": "json"}', ctypes.byref(length), ctypes.byref(text))
        _check(self._library, code)
        document: dict[str, Any] = json.loads(ctypes.string_at(text, length.value))
        return document

    def _of_rows(self, matrix: NDArray[Any], missing: float, kind: int) -> NDArray[np.float32]:
        """Return a result of a kind that the library has only for rows in a form of its own."""
        matrix, rows = np.ascontiguousarray(matrix), ctypes.c_void_p()
        form = json.dumps({"missing": missing, "nthread": 1}).encode()
        create = self._library.XGDMatrixCreateFromDense
        _check(self._library, create(_array_interface(matrix), form, ctypes.byref(rows)))
        try:
            options = {**_ALL_TREES, "type": kind}
            return self._result(len(matrix), self._library.XGBoosterPredictFromDMatrix, rows, options)
        finally:
            self._library.XGDMatrixFree(rows)

    def _result(
        self, n_rows: int, predict: Any, rows: Any, options: dict[str, Any], *more: Any
    ) -> NDArray[np.float32]:
        """Call one of the functions that predict; return its numbers, shape (rows, numbers of a row)."""
        shape, n_dimensions = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
        values = ctypes.POINTER(ctypes.c_float)()
        code = predict(
            self._handle,
            rows,
            json.dumps(options).encode(),
            *more,
            ctypes.byref(shape),
            ctypes.byref(n_dimensions),
            ctypes.byref(values),
        )
        _check(self._library, code)
        extent = [shape[position] for position in range(n_dimensions.value)]
        flat = np.ctypeslib.as_array(values, (math.prod(extent),))
        return flat.reshape(n_rows, -1).copy()  # the library uses its buffer again

    def __del__(self) -> None:
        """Free the memory of the library."""
        self._library.XGBoosterFree(self._handle)


def _array_interface(matrix: NDArray[Any]) -> bytes:
    address = matrix.__array_interface__["data"][0]
    interface = {"data": [address, True], "shape": matrix.shape, "typestr": matrix.dtype.str, "version": 3}
    return json.dumps(interface).encode()


def is_available() -> bool:
    """Whether XGBoost's compiled library is installed."""
    return _library_path() is not None


@cache
def _library() -> Any:
    path = _library_path()
    if path is None:
        require_package("xgboost")
        raise ArtifactError("The compiled library of XGBoost was not found beside its package.")
    library = ctypes.CDLL(str(path))
    library.XGBGetLastError.restype = ctypes.c_char_p
    return library


def _library_path() -> Path | None:
    spec = find_spec("xgboost")  # finds the package without importing it
    folders = [Path(folder) / "lib" for folder in (spec.submodule_search_locations or ())] if spec else []
    paths = (folder / name for folder in folders for name in _LIBRARIES)
    return next((path for path in paths if path.is_file()), None)


def _check(library: Any, code: int) -> None:
    if code:
        message = library.XGBGetLastError().decode(errors="replace").strip().splitlines()
        raise ArtifactError(f"XGBoost: {message[0] if message else 'an error without a message'}")
