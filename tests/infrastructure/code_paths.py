"""Which modules of the library a function may reach: its imports, and those of the parts that it uses.

The context builds every part on first use, by an import inside of the part's property; so a property counts
only when the handler, or another part that counts, reads it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = REPOSITORY / "src" / "mlops"
_CONTEXT = tuple(f"context/{name}.py" for name in ("dependencies", "retraining", "training", "stack"))


def imports_of(function: str) -> set[tuple[str, str]]:
    """Return (module, name) of everything that the function's code paths import from the library."""
    handler = tree_of(REPOSITORY / "functions" / function / "app.py")
    imports: set[tuple[str, str]] = set()
    waiting = [*_imports(handler), *_imports_of_parts(handler)]
    seen_modules: set[str] = set()
    while waiting:
        module, name = waiting.pop()
        imports.add((module, name))
        for reached in (module, f"{module}.{name}"):
            path = path_of(reached)
            if path is not None and reached not in seen_modules:
                seen_modules.add(reached)
                waiting += _imports(tree_of(path))
    return imports


def _imports_of_parts(handler: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield what the properties of the context import that the handler uses, directly or through others."""
    properties = {
        node.name: node
        for file in _CONTEXT
        for node in ast.walk(tree_of(LIBRARY / file))
        if isinstance(node, ast.FunctionDef)
    }
    waiting, seen = _attributes_of(handler, "dependencies"), set()
    while waiting:
        part = waiting.pop()
        if part in properties and part not in seen:
            seen.add(part)
            waiting |= _attributes_of(properties[part], "self")
            yield from _imports(properties[part])


def _attributes_of(tree: ast.AST, name: str) -> set[str]:
    attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return {a.attr for a in attributes if isinstance(a.value, ast.Name) and a.value.id == name}


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the imports, but those for types only and those of the context."""
    if isinstance(tree, ast.If) and getattr(tree.test, "id", "") == "TYPE_CHECKING":
        return
    if isinstance(tree, ast.ImportFrom) and tree.module and not tree.module.startswith("mlops.context"):
        yield from ((tree.module, alias.name) for alias in tree.names)
    for child in ast.iter_child_nodes(tree):
        yield from _imports(child)


def path_of(module: str) -> Path | None:
    """The file of a module or package of the library; None for other names."""
    path = REPOSITORY / "src" / Path(*module.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


@cache
def tree_of(path: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse(path.read_text(encoding="utf-8"))
