"""How many Lambda workers and SageMaker jobs run at once, and the queue of those above the limit."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from local.errors import SettingError

MAX_LAMBDA_WORKERS = "LOCAL_MAX_LAMBDA_WORKERS"
MAX_LAMBDA_PROCESSES = "LOCAL_MAX_LAMBDA_PROCESSES"
MAX_SAGEMAKER_JOBS = "LOCAL_MAX_SAGEMAKER_JOBS"
_CHECK_SECONDS = 0.1
_WORKER_BYTES = 150_000_000  # what an idle function with pandas and scikit-learn keeps
_SHARE_OF_MEMORY = 0.2
_IDLE_CORES = 0.2  # a function that polls an AWS API ten times a second uses some hundredths


def max_lambda_workers(environ: Mapping[str, str] = os.environ) -> int:
    """Return how many invocations may run: the setting, or 4 per core up to 16."""
    return _count(environ, MAX_LAMBDA_WORKERS, min(16, 4 * _cores()))


def max_lambda_processes(environ: Mapping[str, str] = os.environ) -> int:
    """Return how many processes of functions may exist, busy and idle; never fewer than may be busy.

    The setting, or as many as a fifth of the memory can keep. An idle process answers the next event of its
    function without a start, which takes longer than most invocations.
    """
    fitting = int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * _SHARE_OF_MEMORY / _WORKER_BYTES)
    return max(max_lambda_workers(environ), _count(environ, MAX_LAMBDA_PROCESSES, max(1, fitting)))


def max_sagemaker_jobs(environ: Mapping[str, str] = os.environ) -> int:
    """Return how many jobs may run: the setting, or one per core, at least 2 and at most 8."""
    return _count(environ, MAX_SAGEMAKER_JOBS, min(8, max(2, _cores())))


def check_settings(environ: Mapping[str, str] = os.environ) -> None:
    """Raise SettingError when one of the settings is not a whole number of at least 1."""
    max_lambda_processes(environ)
    max_sagemaker_jobs(environ)


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise SettingError(f"{name} must be a whole number of at least 1, not {text!r}.")
    return int(text)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2


class Limit:
    """At most `size` holders at once; the others wait in two queues, the urgent one first.

    Parameters
    ----------
    size
        How many may hold a place.
    used_seconds
        The CPU time that the holders have used so far. Holders that use none wait for something, perhaps for
        one of those in the queue: after `stall_seconds` without a change, one more is admitted. None when
        holders never wait for each other.
    """

    def __init__(
        self,
        size: int,
        used_seconds: Callable[[], float] | None = None,
        *,
        stall_seconds: float = 5.0,
    ) -> None:
        self.size = size
        self.holders = 0
        self._used_seconds = used_seconds
        self._stall_seconds = stall_seconds
        self._urgent: deque[object] = deque()
        self._other: deque[object] = deque()
        self._changed = threading.Condition()
        self._observed_at = time.monotonic()
        self._observed_seconds = 0.0

    def enter(
        self,
        *,
        is_urgent: bool = False,
        is_nested: bool = False,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> bool:
        """Take a place, waiting for one if necessary; return False when cancelled while waiting.

        Parameters
        ----------
        is_urgent
            Go before all that are not urgent.
        is_nested
            A holder waits for this one: never wait, or both would wait for ever.
        is_cancelled
            Called several times a second while waiting.
        """
        with self._changed:
            if not is_nested and not self._wait(self._urgent if is_urgent else self._other, is_cancelled):
                return False
            self.holders += 1
            self._observe()
        return True

    def leave(self) -> None:
        """Give the place back."""
        with self._changed:
            self.holders -= 1
            self._observe()
            self._changed.notify_all()

    def _wait(self, queue: deque[object], is_cancelled: Callable[[], bool] | None) -> bool:
        ticket = object()
        queue.append(ticket)
        try:
            while not (self._is_first(ticket) and (self.holders < self.size or self._is_stalled())):
                if is_cancelled is not None and is_cancelled():
                    return False
                must_check = is_cancelled is not None or self._is_first(ticket)
                self._changed.wait(_CHECK_SECONDS if must_check else None)
        finally:
            queue.remove(ticket)
            self._changed.notify_all()
        return True

    def _is_first(self, ticket: object) -> bool:
        return (self._urgent or self._other)[0] is ticket

    def _is_stalled(self) -> bool:
        """Whether for `stall_seconds` no holder came or went, and they used under a fifth of a core."""
        elapsed_seconds = time.monotonic() - self._observed_at
        if self._used_seconds is None or elapsed_seconds < self._stall_seconds:
            return False
        before_seconds = self._observed_seconds
        self._observe()
        return self._observed_seconds - before_seconds < _IDLE_CORES * elapsed_seconds

    def _observe(self) -> None:
        self._observed_at = time.monotonic()
        self._observed_seconds = 0.0 if self._used_seconds is None else self._used_seconds()
