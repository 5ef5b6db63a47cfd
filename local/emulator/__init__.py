"""How `local/` reaches into MiniStack: one version, and names from one list (`local.emulator.names`)."""

import re
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import Any

from local.emulator.names import DIFFERENCES, MODULES
from local.errors import HookError

PINNED_VERSION = "1.5.33"

# Every name that was replaced so far, in order.
replaced: list[str] = []
_LISTED = frozenset(name for difference in DIFFERENCES for name in difference.wraps)
_STEP = re.compile(r"\[(?P<key>[^\]]+)\]|\.?(?P<attribute>\w+)")


def require_pinned_version(installed: str | None = None) -> None:
    """Refuse any MiniStack but the pinned one: the corrections replace its private functions."""
    installed = version("ministack") if installed is None else installed
    if installed != PINNED_VERSION:
        raise HookError(
            f"The local cloud is written for ministack {PINNED_VERSION}, but {installed} is installed: "
            f"install ministack=={PINNED_VERSION}, or review local/emulator/names.py for {installed}."
        )


def install_corrections() -> None:
    """Install every correction of `DIFFERENCES` in the MiniStack of this process."""
    require_pinned_version()
    for difference in DIFFERENCES:
        import_module(f"local.{difference.corrected_in}").install()


def wrap(name: str, make: Callable[[Any], Any]) -> None:
    """Replace what MiniStack has under `name` by `make(original)`.

    Parameters
    ----------
    name
        A name of `DIFFERENCES`, such as `s3._get_object`.

    Raises
    ------
    HookError
        The name is not listed, or the installed MiniStack does not have it.
    """
    if name not in _LISTED:
        raise HookError(f"{name} is not listed in local/emulator/names.py: add it with its reason.")
    owner, last = _locate(name)
    if isinstance(owner, dict):
        owner[last] = make(owner[last])
    else:
        setattr(owner, last, make(getattr(owner, last)))
    replaced.append(name)


def resolve(name: str) -> Any:
    """Return what MiniStack has under a name such as `s3._get_object` or `app._state_map[s3]`."""
    owner, last = _locate(name)
    return owner[last] if isinstance(owner, dict) else getattr(owner, last)


def replace_text(text: str, old: str, new: str) -> str:
    """Replace `old` in a script of MiniStack's; it must be there exactly once."""
    if text.count(old) != 1:
        raise HookError(f"ministack {PINNED_VERSION} was expected to contain this once: {old!r}")
    return text.replace(old, new)


def _locate(name: str) -> tuple[Any, str]:
    """Return what holds the last part of a name, and that part."""
    module, _, rest = name.partition(".")
    owner: Any = import_module(MODULES[module])
    steps = [match["key"] or match["attribute"] for match in _STEP.finditer(rest)]
    for depth, step in enumerate(steps):
        if not (step in owner if isinstance(owner, dict) else hasattr(owner, step)):
            raise HookError(f"ministack {PINNED_VERSION} was expected to have {name}.")
        if depth < len(steps) - 1:
            owner = owner[step] if isinstance(owner, dict) else getattr(owner, step)
    return owner, steps[-1]
