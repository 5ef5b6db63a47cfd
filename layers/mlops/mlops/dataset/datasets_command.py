"""`mlops datasets ...`: the accepted files of a group, in files or in the table of a deployed stack."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops.dataset.catalog import DatasetCatalog
from mlops.errors import DatasetError
from mlops.models.dataset import DatasetVersion

type _Run = Callable[[argparse.Namespace, DatasetCatalog], tuple[Any, str]]


def add_parser(subparsers: Any) -> None:
    """Add `datasets` with its actions; each prints text, or JSON with `--json`."""
    parser = subparsers.add_parser("datasets", help="look at the files that models are trained on")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    _add(actions, "list", "list the datasets of a group", _list)
    _add(actions, "show", "show a dataset and the versions trained on it", _show, "dataset")
    compare = _add(actions, "compare", "say what changed between two datasets", _compare, "before")
    compare.add_argument("after", nargs="?", default="latest", help="default: the newest")
    _add(actions, "add", "validate a training file and keep it as a dataset", _keep, "file")


def _add(actions: Any, name: str, told: str, run: _Run, *arguments: str) -> argparse.ArgumentParser:
    names = "A dataset is named by its digest (or the beginning), by a model version, or by `latest`."
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=told, description=f"{told.capitalize()}. {names}"
    )
    for argument in ("group", *arguments):
        parser.add_argument(argument)
    parser.add_argument("--root", default="datasets", help="directory of the datasets in files")
    parser.add_argument("--registry", default="model-registry", help="directory of the registry in files")
    parser.add_argument("--table", help="DynamoDB table of a deployed registry, in place of both")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=lambda parsed: _print(run, parsed))
    return parser


def _print(run: _Run, parsed: argparse.Namespace) -> int:
    is_deployed = parsed.table is not None
    catalog = (
        DatasetCatalog.in_table(parsed.table)
        if is_deployed
        else DatasetCatalog.in_files(parsed.root, parsed.registry)
    )
    document, text = run(parsed, catalog)
    shown = json.dumps(document, indent=2, ensure_ascii=False) if parsed.json else text.rstrip("\n")
    sys.stdout.write(shown + "\n")
    return 0


def _list(parsed: argparse.Namespace, catalog: DatasetCatalog) -> tuple[Any, str]:
    datasets = catalog.list_datasets(parsed.group)
    lines = [_line(dataset, catalog) for dataset in datasets]
    return [dataset.to_dict() for dataset in datasets], "\n".join(lines) or "No file has been accepted yet."


def _show(parsed: argparse.Namespace, catalog: DatasetCatalog) -> tuple[Any, str]:
    dataset = catalog.find(parsed.group, parsed.dataset)
    columns = [f"  {name}: {kind}" for name, kind in dataset.columns.items()]
    document = {**dataset.to_dict(), "models": [m.version for m in catalog.models_trained_on(dataset)]}
    lines = [_line(dataset, catalog), f"file: {dataset.ref.uri}", f"dropped as: {dataset.source.uri}"]
    return document, "\n".join([*lines, f"verdict: {dataset.verdict}", "columns:", *columns])


def _compare(parsed: argparse.Namespace, catalog: DatasetCatalog) -> tuple[Any, str]:
    comparison = catalog.compare(parsed.group, parsed.before, parsed.after)
    return comparison.to_dict(), comparison.render()


def _keep(parsed: argparse.Namespace, catalog: DatasetCatalog) -> tuple[Any, str]:
    if parsed.table is not None:
        raise DatasetError(f"Drop the file into the data bucket as {parsed.group}/training/ instead.")
    dataset = catalog.add(parsed.group, Path(parsed.file), now=datetime.now(UTC))
    return dataset.to_dict(), _line(dataset, catalog)


def _line(dataset: DatasetVersion, catalog: DatasetCatalog) -> str:
    models = ", ".join(model.version for model in catalog.models_trained_on(dataset)) or "no version"
    return (
        f"{dataset.dataset_id[:12]}  {dataset.created_at:%Y-%m-%d %H:%M}  {dataset.n_rows:,} rows,"
        f" {dataset.n_columns} columns  trained: {models}"
    )
