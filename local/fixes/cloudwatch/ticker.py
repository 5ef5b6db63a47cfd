"""One background thread for everything that AWS looks at from time to time: alarms, queue depths."""

import logging
import threading
import time
from collections.abc import Callable

from ministack.core.responses import request_scope

from local.environment import ACCOUNT_ID, REGION

TICK_SECONDS = 1.0
logger = logging.getLogger("local.fixes.cloudwatch.ticker")
_tasks: list[Callable[[], None]] = []
_starting = threading.Lock()
_started = threading.Event()


def every_tick(task: Callable[[], None]) -> None:
    """Call `task` every second, in the scope of the local account and region."""
    _tasks.append(task)
    with _starting:
        if not _started.is_set():
            threading.Thread(target=_run, daemon=True, name="local-ticker").start()
            _started.set()


def _run() -> None:
    while True:
        time.sleep(TICK_SECONDS)
        for task in _tasks:
            try:
                with request_scope(ACCOUNT_ID, REGION):
                    task()
            except Exception:  # one failing look must not end the others
                logger.exception("A background task failed.")
