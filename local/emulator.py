"""The one door to MiniStack's internals: which version they belong to, and how a piece is replaced."""

from collections.abc import Callable
from importlib.metadata import version
from types import ModuleType
from typing import Any

from local.errors import HookError

PINNED_VERSION = "1.5.33"

# (module, attribute) of everything replaced so far, for the tests and for `/_local/`.
replaced: list[tuple[str, str]] = []


def require_pinned_version(installed: str | None = None) -> None:
    """Refuse any MiniStack but the pinned one: the corrections replace its private functions."""
    found = version("ministack") if installed is None else installed
    if found != PINNED_VERSION:
        raise HookError(
            f"The local cloud is written for ministack {PINNED_VERSION}, but {found} is installed: "
            f"install ministack=={PINNED_VERSION}, or review every module of local/fixes for {found}."
        )


def wrap(module: ModuleType | type, name: str, make: Callable[[Any], Any]) -> None:
    """Replace `module.name` by `make(original)`; a missing name is an error, not a silent no-op."""
    if not hasattr(module, name):
        raise HookError(f"ministack {PINNED_VERSION} was expected to have {module.__name__}.{name}.")
    setattr(module, name, make(getattr(module, name)))
    replaced.append((module.__name__, name))


def replace_text(text: str, old: str, new: str) -> str:
    """Replace `old` in a script of MiniStack's; it must be there exactly once."""
    if text.count(old) != 1:
        raise HookError(f"ministack {PINNED_VERSION} was expected to contain this once: {old!r}")
    return text.replace(old, new)
