"""Where the benchmarks write their tables."""

from __future__ import annotations

import os
from pathlib import Path

# a short run writes elsewhere, so that its figures never replace those of a whole one
FOLDER_VARIABLE = "BENCHMARK_RESULTS"
RESULTS = Path(os.environ.get(FOLDER_VARIABLE) or Path(__file__).parent / "results")


def write_page(name: str, text: str) -> None:
    """Write the table of a benchmark, as `<name>.md`."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
