"""Every page in a real browser: nothing is wider than the window, whatever a name or a value is."""

from __future__ import annotations

from typing import Any

import pytest

from . import samples
from .test_pages import CHOICES, PAGES, plain

pytestmark = pytest.mark.browser

WIDTHS = (1280, 390)
LONG = "characters_without_a_blank" * 3


def lengthened(record: Any) -> Any:
    return samples.hostile(record, keep=CHOICES, attack=LONG)


@pytest.mark.parametrize("change", [plain, lengthened])
def test_no_page_is_wider_than_the_window(chromium: Any, change: Any) -> None:
    window = chromium.new_page()
    wider = []
    for name, page in PAGES.items():
        window.set_content(page(change))
        for width in WIDTHS:
            window.set_viewport_size({"width": width, "height": 800})
            if window.evaluate("document.documentElement.scrollWidth") > width:
                wider.append((name, width))
    window.close()
    assert wider == []
