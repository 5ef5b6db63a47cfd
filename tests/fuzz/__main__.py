"""The long run: `python -m tests.fuzz --minutes 60`; every complaint names its seed and keeps its file."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.dataset.form import inspection
from mlops.dataset.validation.contracts import learn_contract
from tests.fuzz.irregular_files import irregular_file
from tests.fuzz.oracle import SETTINGS, complaints


def check(seed: int, folder: Path) -> list[str]:
    """Return what does not hold for the file of a seed, read with and without a contract.

    Every third file is read in small blocks, so that these few rows meet all seams of a large file.
    """
    content, layout = irregular_file(seed)
    path = folder / ("file.csv.gz" if layout.compressed else "file.csv")
    path.write_bytes(content)
    contract = None
    if seed % 2:
        (folder / "good.csv").write_text(GOOD)
        contract = learn_contract(folder / "good.csv", SETTINGS)
    whole = inspection.BLOCK_BYTES
    try:
        inspection.BLOCK_BYTES = whole if seed % 3 else SMALL_BLOCK_BYTES
        return list(complaints(path, layout, contract))
    except Exception:  # noqa: BLE001  a crash is what is looked for
        return [traceback.format_exc()]
    finally:
        inspection.BLOCK_BYTES = whole


SMALL_BLOCK_BYTES = 1009  # a prime, so that blocks end anywhere in a row
GOOD = "patient_id,age,dose,region,visited,note,outcome\n" + "".join(
    f"P{n},{18 + n % 70},{n % 13 + 0.5},{('north', 'south', 'wést')[n % 3]},2020-01-{n % 28 + 1:02d},"
    f"asks {n},{'yes' if n % 3 else 'no'}\n"
    for n in range(200)
)


def main() -> int:
    """Fuzz for a while; return 1 when something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9), help="first seed")
    parser.add_argument("--keep", type=Path, default=Path(".fuzz"), help="where files with a complaint go")
    arguments = parser.parse_args()
    end, seed, n_bad = time.monotonic() + 60 * arguments.minutes, arguments.seed, 0
    with TemporaryDirectory() as folder:
        while time.monotonic() < end:
            actual = check(seed, Path(folder))
            if actual:
                n_bad += 1
                arguments.keep.mkdir(exist_ok=True)
                (arguments.keep / f"{seed}.csv").write_bytes(irregular_file(seed)[0])
                print(f"seed {seed} {irregular_file(seed)[1].changes}\n  " + "\n  ".join(actual), flush=True)
            seed += 1
    print(f"{seed - arguments.seed:,} files from seed {arguments.seed}, {n_bad} with a complaint", flush=True)
    return int(n_bad > 0)


if __name__ == "__main__":
    sys.exit(main())
