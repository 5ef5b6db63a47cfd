"""The history of a run's metrics: files that are only ever added, so that no writer disturbs another."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence

from mlops.experiment.files import RunFiles
from mlops.models.experiment import MetricPoint

_FOLDER = "metrics/"


def _new_name() -> str:
    return uuid.uuid4().hex


def write_points(
    files: RunFiles, points: Sequence[MetricPoint], *, new_name: Callable[[], str] = _new_name
) -> None:
    """Add points to the history, as one file of JSON lines.

    `new_name` must not give a name twice, unless the points are the same.
    """
    if not points:
        return
    lines = (json.dumps(point.to_dict(), ensure_ascii=False, allow_nan=False) for point in points)
    files.write(f"{_FOLDER}{new_name()}.jsonl", ("\n".join(lines) + "\n").encode())


def read_points(files: RunFiles, name: str | None = None) -> list[MetricPoint]:
    """Return the points of one metric, or of all, by rising step and time.

    A writer whose response was lost may have stored the same points twice; they count once.
    """
    lines = (line for path in files.paths(_FOLDER) for line in files.read(path).splitlines())
    points = (MetricPoint.from_dict(json.loads(line)) for line in lines)
    selected = [point for point in points if name in (None, point.name)]
    return sorted(dict.fromkeys(selected), key=lambda point: (point.step, point.at))
