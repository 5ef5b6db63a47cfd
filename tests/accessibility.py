"""What axe-core finds on a page, in the light and the dark scheme, on a computer and a phone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from axe_playwright_python.sync_playwright import Axe

FORMS = (("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390))


def violations(chromium: Any, pages: Mapping[str, Callable[[Any], object]]) -> list[tuple[Any, ...]]:
    """Return page, scheme, width, rule and places of every violation.

    Parameters
    ----------
    chromium
        The browser.
    pages
        What shows each page in the window that it is given, by the name of the page.
    """
    found = []
    for scheme, width in FORMS:
        window = chromium.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
        for name, show in pages.items():
            show(window)
            for rule in Axe().run(window).response["violations"]:
                places = [node["target"] for node in rule["nodes"]]
                found.append((name, scheme, width, rule["id"], places))
        window.close()
    return found
