"""Where a job's output goes: CloudWatch Logs, written with the permissions of its role, as on AWS."""

import logging
import threading
import time
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

logger = logging.getLogger("local.sagemaker")
_FLUSH_SECONDS = 1.0


class LogStream:
    """Lines of one job in `/aws/sagemaker/<kind>Jobs`, sent about once a second.

    A role that may not write logs loses the lines, not the job; the emulator's own log then has the reason.
    """

    def __init__(self, client: Any, group: str, stream: str) -> None:
        self._client, self._group, self._stream = client, group, stream
        self._waiting: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._sent_at = time.monotonic()
        self._refused = False
        self._open()

    def write(self, line: str) -> None:
        """Add a line."""
        with self._lock:
            self._waiting.append({"timestamp": int(time.time() * 1000), "message": line or " "})
        if time.monotonic() - self._sent_at >= _FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send what waits."""
        with self._lock:
            lines, self._waiting, self._sent_at = self._waiting, [], time.monotonic()
        if lines and not self._refused:
            self._ask("put_log_events", logStreamName=self._stream, logEvents=lines)

    def _open(self) -> None:
        with suppress(self._client.exceptions.ResourceAlreadyExistsException):
            self._ask("create_log_group")
        with suppress(self._client.exceptions.ResourceAlreadyExistsException):
            self._ask("create_log_stream", logStreamName=self._stream)

    def _ask(self, operation: str, **arguments: Any) -> None:
        try:
            getattr(self._client, operation)(logGroupName=self._group, **arguments)
        except self._client.exceptions.ResourceAlreadyExistsException:
            raise
        except ClientError as error:
            self._refused = True
            logger.warning("The role of the job may not write its logs: %s", error)
