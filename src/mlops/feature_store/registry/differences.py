"""How two documents of a definition differ, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_LABELS = ("name", "view")  # what a member of a list is called by


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each value that was added (+), removed (-) or changed (->)."""
    old, new = dict(_flat(before)), dict(_flat(after))
    for path in dict.fromkeys((*new, *old)):
        if path not in old:
            yield f"+ {path}: {new[path]}".removesuffix(": ")
        elif path not in new:
            yield f"- {path}: {old[path]}".removesuffix(": ")
        elif old[path] != new[path]:
            yield f"{path}: {old[path]} -> {new[path]}"


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the values inside with their place, in lists by name; empty ones are left out."""
    if isinstance(value, Mapping):
        for key in (key for key in value if key not in _LABELS):
            yield from _flat(value[key], f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value, start=1):
            names = [part[key] for key in _LABELS if key in part] if isinstance(part, Mapping) else [part]
            label = names[0] if names else number
            yield from (
                _flat(part, f"{path}[{label}]") if isinstance(part, Mapping) else [(f"{path}[{label}]", "")]
            )
    elif value not in ("", None):
        yield path, str(value)
