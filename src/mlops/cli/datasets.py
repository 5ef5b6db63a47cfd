"""`mlops datasets ...`: the accepted files of a group, in plain files or in a deployed stack."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.cli.command import add_action, add_actions, columns
from mlops.context.context import Context
from mlops.context.stack import StackContext
from mlops.dataset.privacy import shown
from mlops.dataset.validation.contract_text import render_contract
from mlops.infrastructure.clock import utc_now
from mlops.intake.answers.listing import is_unused, why_unused
from mlops.models.dataset import DatasetVersion
from mlops.models.errors import DatasetError
from mlops.use_cases.compare_datasets import compare_datasets

if TYPE_CHECKING:  # pandas is slow, and only these commands need it
    from mlops.dataset.catalog.catalog import DatasetCatalog

_NAMES = "A dataset is named by its digest (or the start of it), by a model version, or by `latest`."


def add_parser(subparsers: Any) -> None:
    """Add `datasets` with its actions; each prints text, or JSON with `--json`."""
    actions = add_actions(subparsers, "datasets", _NAMES)
    listing = add_action(actions, "list", "list the datasets of a group, or its unused files", _list)
    listing.add_argument("group", nargs="?", help="may be left out with --ignored: files in any folder")
    listing.add_argument("--ignored", action="store_true", help="list the files that were not used, and why")
    add_action(actions, "show", "show a dataset and the versions trained on it", _show, "group", "dataset")
    compare = add_action(
        actions, "compare", "show what changed between two datasets", _compare, "group", "before"
    )
    compare.add_argument("after", nargs="?", default="latest", help="default: the newest")
    contract = add_action(
        actions,
        "contract",
        "show the contract that the files of a group are checked against",
        _contract,
        "group",
    )
    contract.add_argument("--version", type=int, help="default: the current one")
    add_action(actions, "add", "validate a training file and store it as a dataset", _add, "group", "file")


def _list(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    catalog = context.datasets
    if parsed.ignored:
        folders = [parsed.group] if parsed.group else catalog.versions.list_folders()
        return _list_unused(folders, catalog)
    if parsed.group is None:
        raise DatasetError("Name a group: `mlops datasets list GROUP`; `mlops groups` lists them.")
    datasets = catalog.list_datasets(parsed.group)
    lines = [_line(dataset, catalog) for dataset in datasets]
    return [dataset.to_dict() for dataset in datasets], "\n".join(lines) or "No file has been accepted yet."


def _list_unused(folders: Sequence[str], catalog: DatasetCatalog) -> tuple[Any, str]:
    uploads = [upload for folder in folders for upload in catalog.versions.list_uploads(folder)]
    unused = [upload for upload in uploads if is_unused(upload)]
    rows = [(f"{u.received_at:%Y-%m-%d %H:%M}", shown(u.key, 120), why_unused(u)) for u in unused]
    return [upload.to_dict() for upload in unused], columns(rows) or "No file was ignored."


def _show(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    catalog = context.datasets
    dataset = catalog.find(parsed.group, parsed.dataset)
    columns = [f"  {name}: {kind}" for name, kind in dataset.columns.items()]
    document = {**dataset.to_dict(), "models": [m.version for m in catalog.models_trained_on(dataset)]}
    lines = [_line(dataset, catalog), f"file: {dataset.ref.uri}", f"dropped as: {dataset.source.uri}"]
    return document, "\n".join([*lines, f"verdict: {dataset.verdict}", "columns:", *columns])


def _compare(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    catalog = context.datasets
    before, after = (catalog.find(parsed.group, name) for name in (parsed.before, parsed.after))
    comparison = compare_datasets(before, after, catalog.objects)
    return comparison.to_dict(), comparison.render()


def _contract(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    contract = context.datasets.contract(parsed.group, parsed.version)
    return contract.to_dict(), render_contract(contract, group=parsed.group)


def _add(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if isinstance(context, StackContext):
        raise DatasetError(f"Drop the file into the data bucket as {parsed.group}/training/ instead.")
    catalog = context.datasets
    dataset = catalog.add(parsed.group, Path(parsed.file), now=utc_now())
    return dataset.to_dict(), _line(dataset, catalog)


def _line(dataset: DatasetVersion, catalog: DatasetCatalog) -> str:
    models = ", ".join(model.version for model in catalog.models_trained_on(dataset)) or "no version"
    return (
        f"{dataset.dataset_id[:12]}  {dataset.created_at:%Y-%m-%d %H:%M}  {dataset.n_rows:,} rows,"
        f" {dataset.n_columns} columns  trained: {models}"
    )
