"""A compiled model in two files: arrays (`.npz`, no pickles) and trees for XGBoost's predictor (`.ubj`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from mlops.models.errors import ArtifactError
from mlops.pipelines.artifact_files import COMPILED, COMPILED_BOOSTER
from mlops.pipelines.compiled import booster
from mlops.pipelines.compiled.booster import Booster
from mlops.pipelines.compiled.compiled_model import BoosterModel, CompiledModel, TreeModel
from mlops.pipelines.compiled.encoding import CategoryTable, Encoding, NumberBlock
from mlops.pipelines.compiled.linear import LinearModel
from mlops.pipelines.compiled.texts import TextTable
from mlops.pipelines.compiled.trees import Trees

_DESCRIPTION = "description"
_TREE_ARRAYS = ("feature", "threshold", "left", "is_missing_left", "value", "roots", "output")
_TEXT_ARRAYS = ("idf", "weights", "intercept")
type _Arrays = dict[str, NDArray[Any]]


def save(compiled: CompiledModel, directory: Path) -> None:
    """Write the files of a compiled model into a directory."""
    arrays: _Arrays = {}
    description = {"link": compiled.link, **_form(compiled.form, arrays)}
    description["encoding"] = _encoding(compiled.form.encoding, arrays)
    arrays[_DESCRIPTION] = np.frombuffer(json.dumps(description).encode(), dtype=np.uint8)
    np.savez_compressed(directory / COMPILED, allow_pickle=False, **arrays)
    if isinstance(compiled.form, TreeModel | BoosterModel):
        (directory / COMPILED_BOOSTER).write_bytes(compiled.form.booster.content)


def load(directory: Path) -> CompiledModel | None:
    """Read what `save` wrote; None when the directory has none, or XGBoost's library is needed and absent.

    Raises
    ------
    ArtifactError
        If the files are not those of a compiled model.
    """
    needs_booster = (directory / COMPILED_BOOSTER).is_file()
    if not (directory / COMPILED).is_file() or (needs_booster and not booster.is_available()):
        return None
    try:
        with (directory / COMPILED).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = dict(stored)
        description = json.loads(bytes(arrays.pop(_DESCRIPTION)))
        encoding = _read_encoding(description["encoding"], arrays)
        form = _read_form(description, encoding, arrays, directory / COMPILED_BOOSTER)
        return CompiledModel(form, description["link"])
    except (ValueError, KeyError, TypeError, OSError, EOFError, BadZipFile) as error:
        raise ArtifactError(f"The compiled model cannot be read: {error}") from error


def _form(form: LinearModel | TreeModel | BoosterModel, arrays: _Arrays) -> dict[str, Any]:
    match form:
        case LinearModel():
            arrays |= {"coefficients": form.coefficients, "intercept": form.intercept}
            arrays |= {} if form.means is None else {"means": form.means}
            return {"form": "linear"}
        case TreeModel():
            arrays |= {f"trees.{name}": getattr(form.trees, name) for name in _TREE_ARRAYS}
            arrays["base"] = form.base
            return {
                "form": "trees",
                "factor": form.factor,
                "is_ranked": form.is_ranked,
                "n_outputs": form.trees.n_outputs,
                "has_contributions": form.has_contributions,
            }
        case BoosterModel():
            return {"form": "booster"}


def _read_form(
    description: Mapping[str, Any], encoding: Encoding, arrays: _Arrays, trees_file: Path
) -> LinearModel | TreeModel | BoosterModel:
    if description["form"] == "linear":
        return LinearModel(encoding, arrays["coefficients"], arrays["intercept"], arrays.get("means"))
    predictor = Booster.from_bytes(trees_file.read_bytes())
    if description["form"] == "booster":
        return BoosterModel(encoding, predictor)
    trees = Trees(
        **{name: arrays[f"trees.{name}"] for name in _TREE_ARRAYS}, n_outputs=description["n_outputs"]
    )
    is_ranked = description["is_ranked"]
    # forests have always stored the means of their inner nodes
    has_contributions = description.get("has_contributions", not is_ranked)
    return TreeModel(
        encoding, trees, predictor, description["factor"], arrays["base"], is_ranked, has_contributions
    )


def _encoding(encoding: Encoding, arrays: _Arrays) -> dict[str, Any]:
    numbers = encoding.numbers
    if numbers is not None:
        arrays |= {
            "numbers.fill": numbers.fill,
            "numbers.marked": numbers.marked,
            "numbers.mean": numbers.mean,
            "numbers.scale": numbers.scale,
            "numbers.columns": numbers.columns,
        }
    tables: list[dict[str, Any]] = []
    for number, table in enumerate(encoding.tables):
        arrays[f"tables.{number}.columns"] = table.columns
        if isinstance(table, TextTable):
            arrays |= {f"tables.{number}.{name}": getattr(table, name) for name in _TEXT_ARRAYS}
            tables.append({"name": table.name, "form": "texts"})
        else:
            arrays[f"tables.{number}.rows"] = table.rows
            tables.append({"name": table.name, "categories": table.categories, "missing": table.missing})
    names = None if numbers is None else numbers.names
    return {"n_columns": encoding.n_columns, "numbers": names, "tables": tables}


def _read_encoding(description: Mapping[str, Any], arrays: _Arrays) -> Encoding:
    numbers = None
    if description["numbers"] is not None:
        parts = {name: arrays[f"numbers.{name}"] for name in ("fill", "marked", "mean", "scale", "columns")}
        numbers = NumberBlock(tuple(description["numbers"]), **parts)
    tables = [_read_table(table, number, arrays) for number, table in enumerate(description["tables"])]
    return Encoding(description["n_columns"], numbers, tuple(tables))


def _read_table(description: Mapping[str, Any], number: int, arrays: _Arrays) -> CategoryTable | TextTable:
    columns = arrays[f"tables.{number}.columns"]
    if description.get("form") == "texts":
        parts = {name: arrays[f"tables.{number}.{name}"] for name in _TEXT_ARRAYS}
        return TextTable(description["name"], columns=columns, **parts)
    return CategoryTable(
        name=description["name"],
        categories=tuple(description["categories"]),
        rows=arrays[f"tables.{number}.rows"],
        missing=description["missing"],
        columns=columns,
    )
