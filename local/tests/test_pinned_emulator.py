"""The corrections belong to one version of MiniStack, and say so clearly when it is another."""

import types

import pytest

from local.emulator import PINNED_VERSION, replace_text, require_pinned_version, wrap
from local.errors import HookError


def test_the_pinned_version_is_installed() -> None:
    require_pinned_version()


def test_another_version_is_refused_with_what_to_do() -> None:
    with pytest.raises(HookError, match=f"install ministack=={PINNED_VERSION}"):
        require_pinned_version("1.6.0")


def test_a_function_that_is_gone_is_an_error() -> None:
    with pytest.raises(HookError, match=r"expected to have empty\._gone"):
        wrap(types.ModuleType("empty"), "_gone", lambda original: original)


def test_a_script_that_changed_is_an_error() -> None:
    with pytest.raises(HookError, match="contain this once"):
        replace_text("a = 1", "b = 2", "b = 3")
