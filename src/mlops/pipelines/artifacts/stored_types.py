"""Names of our own classes inside stored models: identifiers that outlive a move of the code.

skops writes the module and the name of every class into `schema.json`. A class of ours is stored as
`mlops.<name>` instead, and read back from wherever it is defined today.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mlops.models.errors import ArtifactError

_SCHEMA = "schema.json"  # inside a file of skops; not the schema of a model
_OWN_PACKAGE = "mlops"
# stored name -> where the class is defined
_DEFINED_IN = {
    ("mlops", "CategoryEncoder"): ("mlops.pipelines.fitting.one_hot", "CategoryEncoder"),
    ("mlops", "TextEncoder"): ("mlops.pipelines.fitting.text_encoder", "TextEncoder"),
}
# what releases before 0.2.0 stored
_ALIASES = {("mlops.pipelines.level_columns", "LevelColumns"): ("mlops", "CategoryEncoder")}
_STORED_AS = {defined: stored for stored, defined in _DEFINED_IN.items()}

OWN_TYPES = tuple(f"{module}.{name}" for module, name in _STORED_AS)

type _Name = tuple[str, str]


def dump(part: Any, path: Path) -> None:
    """Write a fitted scikit-learn object with skops, under the stored names of our classes."""
    import skops.io

    content = skops.io.dumps(part, compression=zipfile.ZIP_STORED)  # compressed once, with the names replaced
    renamed = _renamed(content, lambda name: _STORED_AS.get(name, name), compression=zipfile.ZIP_DEFLATED)
    path.write_bytes(renamed)


def load(path: Path, trusted: list[str]) -> Any:
    """Read an object that `dump` wrote, in this release or an earlier one.

    Raises
    ------
    ArtifactError
        If it names a class of this library that models never contain.
    skops.io.exceptions.UntrustedTypesFoundException
        If it contains another type that is not in `trusted` (`module.name` of each).
    """
    import skops.io

    content = _renamed(path.read_bytes(), _definition, compression=zipfile.ZIP_STORED)
    return skops.io.loads(content, trusted=[*trusted, *OWN_TYPES])


def _definition(stored: _Name) -> _Name:
    stored = _ALIASES.get(stored, stored)
    if stored not in _DEFINED_IN:
        raise ArtifactError(f"The model contains the type {'.'.join(stored)}, which models never contain.")
    return _DEFINED_IN[stored]


def _renamed(content: bytes, rename: Callable[[_Name], _Name], *, compression: int) -> bytes:
    """Return the archive with our class names replaced in its schema; all other members are unchanged."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as archive,
        zipfile.ZipFile(target, "w", compression, compresslevel=1) as copy,
    ):
        for name in archive.namelist():
            data = archive.read(name)
            if name == _SCHEMA:
                schema = json.loads(data)
                for node in _own_nodes(schema):
                    node["__module__"], node["__class__"] = rename((node["__module__"], node["__class__"]))
                data = json.dumps(schema).encode()
            copy.writestr(name, data)
    return target.getvalue()


def _own_nodes(tree: Any) -> Iterator[dict[str, Any]]:
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            pending.extend(node.values())
            if str(node.get("__module__", "")).partition(".")[0] == _OWN_PACKAGE:
                yield node
        elif isinstance(node, list):
            pending.extend(node)
