"""The cores that a training uses: for fits that do not wait for one another, and within large fits.

No result depends on their number. XGBoost, HistGradientBoosting and forests have the same trees to the last
bit with any number of threads; products of matrices do not, so BLAS has one thread.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from mlops.models.errors import SettingsError

_cores: ContextVar[int] = ContextVar("cores", default=1)
_CELLS_FOR_THREADS, _ROWS_FOR_THREADS = 2_000_000, 2_000


@contextmanager
def using_cores(n_jobs: int | None = None) -> Iterator[None]:
    """Let the fits inside use so many cores.

    Parameters
    ----------
    n_jobs
        At least 1; None for all that the process may use, by its affinity and the quota of its container.

    Raises
    ------
    SettingsError
        If it is less than 1.
    """
    if n_jobs is not None and n_jobs < 1:
        raise SettingsError(f"The number of cores must be at least 1, not {n_jobs}.")
    # else waiting threads of OpenMP keep cores busy: beside other work a fit of 0.8 CPU seconds took up to 20
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import joblib
    import sklearn  # noqa: F401  brings the OpenMP that is to be limited

    before = _cores.set(joblib.cpu_count() if n_jobs is None else n_jobs)
    try:
        with _thread_limits(1):
            yield
    finally:
        _cores.reset(before)


def on_shared_cores[Item, Result](function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return what a function makes of each item, in their order; the calls share the cores."""
    n_cores = _cores.get()
    n_workers = min(n_cores, len(items))
    if n_workers < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(n_workers, initializer=_start_worker, initargs=(n_cores // n_workers,)) as pool:
        return list(pool.map(function, items))


@contextmanager
def threads_for(estimator: Any, matrix: np.ndarray) -> Iterator[None]:
    """Let an estimator be fitted to a matrix with threads, where it is large; scoring has one.

    Threads pay only on many cells of many rows: else they mostly wait for one another. On two busy cores
    XGBoost took five times as long with them on 1,700 rows, and of 383 rows with 5,000 columns three to four
    times the CPU seconds.
    """
    n_threads = _cores.get() if _is_large(matrix) else 1
    if n_threads == 1:
        yield
        return
    has_own = estimator.get_params().get("n_jobs") is not None
    if has_own:
        estimator.set_params(n_jobs=n_threads)
    with _thread_limits(n_threads, "openmp"):
        yield
    if has_own:
        estimator.set_params(n_jobs=1)  # forests add up in any order


def _is_large(matrix: np.ndarray) -> bool:
    return len(matrix) > _ROWS_FOR_THREADS and matrix.size > _CELLS_FOR_THREADS


def _start_worker(n_cores: int) -> None:
    """Give a thread its share; the limit of OpenMP is a setting of each thread."""
    _cores.set(n_cores)
    _thread_limits(1, "openmp")


def _thread_limits(n_threads: int, kind: str | None = None) -> AbstractContextManager[Any]:
    threadpoolctl: Any = importlib.import_module("threadpoolctl")  # has no type hints
    limits: AbstractContextManager[Any] = threadpoolctl.threadpool_limits(n_threads, user_api=kind)
    return limits
