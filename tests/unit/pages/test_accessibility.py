"""axe-core finds nothing on any page."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.accessibility import violations

from .test_pages import PAGES, plain

pytestmark = pytest.mark.browser


def show(window: Any, name: str) -> None:
    window.set_content(PAGES[name](plain))


def test_no_page_has_a_violation(chromium: Any) -> None:
    assert violations(chromium, {name: partial(show, name=name) for name in PAGES}) == []
