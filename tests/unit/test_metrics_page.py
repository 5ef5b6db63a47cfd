"""docs/reference/metrics.md lists every metric, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from mlops.infrastructure import metric_names

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "metrics.md"


def test_the_page_lists_every_metric() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    names = [
        value
        for name, value in vars(metric_names).items()
        if name.isupper() and not name.endswith("_DIMENSION")
    ]
    assert sorted(listed) == sorted(names)
