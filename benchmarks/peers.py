"""What benchmarks keep: their data, and environments of the peers, which are never dependencies of ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FILES = Path(__file__).resolve().parents[1] / ".local" / "benchmarks"
_UV = str(Path(sys.executable).with_name("uv"))


def python_with(packages: Sequence[str], name: str) -> Path:
    """Return the interpreter of an environment with some packages, which is made on first use."""
    folder = FILES / name
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists():
        subprocess.run(
            [_UV, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True
        )
        install = [_UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *packages]
        subprocess.run(install, check=True)
        ready.touch()
    return python
