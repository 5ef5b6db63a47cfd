"""A page as a person uses it who has only a keyboard: where Tab leads, and whether that can be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MAX_STOPS = 100
MIN_OUTLINE_PIXELS = 2

# The element that has the focus: its place in the document, and whether a person sees that it has it.
_FOCUSED = """() => {
  const focused = document.activeElement;
  if (!focused || focused === document.body) return null;
  const box = focused.getBoundingClientRect(), style = getComputedStyle(focused);
  const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    place: [...document.querySelectorAll('*')].indexOf(focused),
    name: focused.getAttribute('aria-label') || focused.name || focused.textContent.trim().slice(0, 40),
    outline_pixels: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
    is_uncovered: at !== null && (focused.contains(at) || at.contains(focused)),
  };
}"""
# All that can be operated; of radio buttons with one name Tab stops at the chosen one, or the first.
_CONTROLS = """() => {
  const all = [...document.querySelectorAll('*')];
  const radios = name => [...document.querySelectorAll(`input[type=radio][name="${name}"]`)];
  return [...document.querySelectorAll('a[href], button, summary, textarea, input:not([type=hidden])')]
    .filter(control => control.type !== 'radio'
      || control === (radios(control.name).find(radio => radio.checked) || radios(control.name)[0]))
    .map(control => all.indexOf(control));
}"""


@dataclass(frozen=True)
class Stop:
    """One element at which Tab stops; `place` is its place in the document."""

    place: int
    name: str
    outline_pixels: float
    is_uncovered: bool

    @property
    def is_visible(self) -> bool:
        """Whether a person sees that this element has the focus."""
        return self.outline_pixels >= MIN_OUTLINE_PIXELS and self.is_uncovered


def press_tab(page: Any) -> Stop | None:
    """Go to the next element; None after the last one."""
    page.keyboard.press("Tab")
    focused = page.evaluate(_FOCUSED)
    return Stop(**focused) if focused else None


def walk_by_tab(page: Any) -> list[Stop]:
    """Return every stop from the top of the page to its end."""
    stops: list[Stop] = []
    while (stop := press_tab(page)) is not None:
        stops.append(stop)
        assert len(stops) <= MAX_STOPS, f"the focus does not leave the page: {stops[-3:]}"
    return stops


def tab_to(page: Any, name: str) -> None:
    """Press Tab until the element of that name has the focus."""
    passed: list[str] = []
    while (stop := press_tab(page)) is not None:
        if stop.name == name:
            return
        passed.append(stop.name)
    raise AssertionError(f"Tab does not stop at {name}: {passed}")


def check_keyboard_order(page: Any) -> list[Stop]:
    """Check that Tab stops at all controls in the order of the page, each time visibly; return the stops."""
    stops = walk_by_tab(page)
    places = [stop.place for stop in stops]
    assert places == sorted(places)
    assert set(page.evaluate(_CONTROLS)) <= set(places)
    hidden = [stop for stop in stops if not stop.is_visible]
    assert not hidden, hidden
    return stops
