"""Files of definitions: Python or TOML.

A Python file runs as a program, with the rights of the person who applies it, like any script of theirs.
A TOML file is only read.
"""

from __future__ import annotations

import runpy
import traceback
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from mlops.feature_store.definitions.on_demand import OnDemandFeatureView, plain_source
from mlops.feature_store.definitions.services import FeatureService
from mlops.feature_store.definitions.views import (
    Entity,
    FeatureView,
    FeatureViewProjection,
    Field,
    FileSource,
)
from mlops.models.errors import FeatureStoreError, SettingsError
from mlops.models.settings.document import read_toml
from mlops.models.settings.nearest import nearest

type Definition = FeatureView | OnDemandFeatureView | FeatureService

_KINDS = (FeatureView, OnDemandFeatureView, FeatureService)
_KEYS: Mapping[str, frozenset[str]] = {
    "entity": frozenset({"name", "join_keys", "value_type", "description", "owner"}),
    "feature_view": frozenset(
        {
            *("name", "entities", "schema", "source", "ttl_seconds", "online", "description", "owner"),
            "expected_every_seconds",
        }
    ),
    "on_demand_feature_view": frozenset(
        {"name", "sources", "request", "schema", "code", "description", "owner"}
    ),
    "feature_service": frozenset({"name", "features", "description", "owner"}),
}
_SOURCE_KEYS = frozenset({"timestamp_field", "created_timestamp_column", "timezone"})


def read_definitions(path: Path) -> tuple[Definition, ...]:
    """Return the views and services of a file, each once.

    Raises
    ------
    FeatureStoreError
        If the file has none, fails, or says something that no definition has.
    """
    readers = {".py": _read_python, ".toml": _read_toml}
    if path.suffix not in readers:
        raise FeatureStoreError(f"{path.name} must be a Python file (.py) or a TOML file (.toml).")
    if not path.is_file():
        raise FeatureStoreError(f"There is no file {path}.")
    definitions = tuple(readers[path.suffix](path))
    if not definitions:
        raise FeatureStoreError(f"{path.name} defines no FeatureView, OnDemandFeatureView or FeatureService.")
    return definitions


def _read_python(path: Path) -> Iterator[Definition]:
    try:
        namespace = runpy.run_path(str(path))
    except FeatureStoreError:
        raise
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(path)]
        where = f" in line {lines[-1]}" if lines else ""
        raise FeatureStoreError(f"{path.name} failed{where} with {type(error).__name__}: {error}") from error
    unique = {id(value): value for value in namespace.values() if isinstance(value, _KINDS)}
    yield from unique.values()


def _read_toml(path: Path) -> Iterator[Definition]:
    try:
        document = read_toml(path.read_text(encoding="utf-8"))
    except SettingsError as error:
        raise FeatureStoreError(str(error).replace("model.toml", path.name)) from error
    for kind, tables in document.items():
        _check_keys(path.name, [kind], _KEYS)
        if not isinstance(tables, list):
            raise FeatureStoreError(f"Write [[{kind}]] with two brackets in {path.name}.")
        for table in tables:
            _check_keys(f"[[{kind}]]", table, _KEYS[kind])
            _check_keys("[feature_view.source]", table.get("source", {}), _SOURCE_KEYS)
    try:
        yield from _toml_definitions(document)
    except KeyError as error:
        raise FeatureStoreError(f"A table of {path.name} needs {error.args[0]}.") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise FeatureStoreError(f"A value of {path.name} has another form than it needs: {error}.") from error


def _toml_definitions(document: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Definition]:
    for table in document.get("entity", ()):
        if "join_keys" in table:
            _names(table, "join_keys")
    entities = {table["name"]: Entity.from_dict(table) for table in document.get("entity", ())}
    for table in document.get("feature_view", ()):
        yield FeatureView(
            table["name"],
            tuple(_entity(name, entities) for name in _names(table, "entities")),
            _fields(table["schema"]),
            FileSource.from_dict(table.get("source", {})),
            _duration(table, "ttl_seconds"),
            table.get("online", True),
            **_texts(table),
            expected_every=_duration(table, "expected_every_seconds"),
        )
    for table in document.get("on_demand_feature_view", ()):
        yield OnDemandFeatureView(
            table["name"],
            tuple(map(_projection, _names(table, "sources"))),
            _fields(table.get("request", {})),
            _fields(table["schema"]),
            plain_source(table["code"]),
            **_texts(table),
        )
    for table in document.get("feature_service", ()):
        yield FeatureService(
            table["name"], tuple(map(_projection, _names(table, "features"))), **_texts(table)
        )


def _projection(text: str) -> FeatureViewProjection:
    """Return `view`, or `view:feature`, or `view:feature,feature`."""
    view, _, features = text.partition(":")
    return FeatureViewProjection(view.strip(), tuple(filter(None, map(str.strip, features.split(",")))))


def _entity(name: str, entities: Mapping[str, Entity]) -> Entity:
    if name not in entities:
        raise FeatureStoreError(f"There is no [[entity]] {name!r}. {nearest(name, entities)}")
    return entities[name]


def _fields(schema: Mapping[str, str]) -> tuple[Field, ...]:
    return tuple(Field.from_dict({"name": name, "dtype": dtype}) for name, dtype in schema.items())


def _duration(table: Mapping[str, Any], name: str) -> timedelta | None:
    if name not in table:
        return None
    try:
        return timedelta(seconds=table[name])
    except (TypeError, ValueError, OverflowError) as error:
        raise FeatureStoreError(
            f"{name} of {table['name']} must be a number of seconds, not {table[name]!r}."
        ) from error


def _names(table: Mapping[str, Any], name: str) -> Sequence[str]:
    """Return a list of names; a text alone would be read as its letters."""
    names = table[name]
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise FeatureStoreError(
            f'{name} of {table["name"]} must be a list of names such as ["patient"], not {names!r}.'
        )
    return names


def _texts(table: Mapping[str, Any]) -> dict[str, str]:
    return {name: table.get(name, "") for name in ("description", "owner")}


def _check_keys(where: str, keys: Any, allowed: Any) -> None:
    for key in keys:
        if key not in allowed:
            raise FeatureStoreError(f"{where} has the unknown key {key!r}. {nearest(key, allowed)}")
