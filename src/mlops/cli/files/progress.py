"""The stages of long work with their times, on a terminal only."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_LOGGER = logging.getLogger("mlops")
_TICK_SECONDS = 0.5


class Stages(logging.Handler):
    """A line for each stage, which the library logs as it begins; the time of the last one counts on.

    A context manager: at its end the last line is complete.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(logging.INFO)
        self._stream = stream
        self._stage = ""
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._ticking = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Stages:
        self._ticking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._ticking.join()
        self._begin("")

    def emit(self, record: logging.LogRecord) -> None:
        """Complete the line of the stage before, and begin that of a new one; the handler's lock is held."""
        self._begin(record.getMessage())

    def _begin(self, stage: str) -> None:
        self._show("\n")
        self._stage, self._started = stage, time.monotonic()
        self._show()

    def _tick(self) -> None:
        while not self._ended.wait(_TICK_SECONDS):
            with self.lock or threading.RLock():
                self._show()

    def _show(self, end: str = "") -> None:
        if self._stage:
            seconds = time.monotonic() - self._started
            self._stream.write(f"\r{seconds:7.1f} s  {self._stage}{end}")
            self._stream.flush()


@contextmanager
def showing_progress() -> Iterator[None]:
    """Show the stages of the work inside on stderr; nothing when that is not a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    level = _LOGGER.level
    with Stages(sys.stderr) as stages:
        _LOGGER.addHandler(stages)
        _LOGGER.setLevel(logging.INFO)
        try:
            yield
        finally:
            _LOGGER.removeHandler(stages)
            _LOGGER.setLevel(level)


def begin_stage(stage: str) -> None:
    """Say that a stage begins which no part of the library logs."""
    _LOGGER.info(stage)
