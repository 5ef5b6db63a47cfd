"""XGBoost's compiled predictor, called through its C interface: the Python package would import scipy.

The functions are documented in XGBoost's C API reference: `XGBoosterCreate`, `XGBoosterLoadModelFromBuffer`,
`XGBoosterSetParam`, `XGBoosterPredictFromDense`. Arrays are passed as NumPy's array interface.
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
        self, matrix: NDArray[Any], *, missing: float = math.nan, is_raw: bool = False
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
        """
        matrix = np.ascontiguousarray(matrix)
        shape, n_dimensions = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
        values = ctypes.POINTER(ctypes.c_float)()
        options = {
            "type": 1 if is_raw else 0,
            "training": False,
            "iteration_begin": 0,
            "iteration_end": 0,
            "missing": missing,
            "strict_shape": True,
        }
        code = self._library.XGBoosterPredictFromDense(
            self._handle,
            _array_interface(matrix),
            json.dumps(options).encode(),
            None,
            ctypes.byref(shape),
            ctypes.byref(n_dimensions),
            ctypes.byref(values),
        )
        _check(self._library, code)
        extent = [shape[position] for position in range(n_dimensions.value)]
        flat = np.ctypeslib.as_array(values, (math.prod(extent),))
        return flat.reshape(len(matrix), -1).copy()  # the library uses its buffer again

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
