"""Every page in a real browser: nothing is wider than the window, whatever a name or a value is."""

from __future__ import annotations

import re
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


def test_a_request_for_approval_is_printed_on_two_sheets(chromium: Any) -> None:
    window = chromium.new_page()
    window.set_content(PAGES["approval"](plain))
    window.emulate_media(media="print")
    sheets = len(re.findall(rb"/Type\s*/Page\b", window.pdf(format="A4")))
    shown = window.evaluate(
        "['nav.bar', '.figure .bar'].map(each => document.querySelector(each))"
        ".map(each => getComputedStyle(each).display != 'none')"
    )
    window.close()
    assert sheets <= 2
    assert shown == [False, True]  # the link to the form is for screens, the bars of the columns are not
