"""Drawings: places on a scale, labels as text, nothing outside the frame."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from mlops.pages import svg


@pytest.mark.parametrize(("value", "place"), [(0, 10), (5, 60), (10, 110), (-3, 10), (99, 110)])
def test_a_scale_maps_its_ends_to_the_ends_and_draws_the_rest_at_the_edge(value, place):
    assert svg.Scale(0, 10, 10, 110)(value) == place


def test_a_scale_without_extent_maps_to_its_start():
    assert svg.Scale(3, 3, 10, 110)(3) == 10


def test_an_axis_can_run_upwards():
    upwards = svg.Scale(0, 1, 300, 10)
    assert (upwards(0), upwards(1), upwards.at(0.5)) == (300, 10, 0.5)


def test_attributes_and_text_are_escaped_and_none_is_left_out():
    made = svg.element("text", '<b>"', class_='a"b', x=1.25, y=2.0, fill_opacity=None, text_anchor="end")
    assert made == '<text class="a&#34;b" x="1.2" y="2" text-anchor="end">&lt;b&gt;&#34;</text>'


def test_a_long_label_is_cut_and_whole_in_its_title():
    label = ElementTree.fromstring(svg.text("a" * 30, 0, 0, max_characters=10))
    assert (label[0].text, label[0].tail) == ("a" * 30, "a" * 9 + "…")
    assert len(ElementTree.fromstring(svg.text("a" * 10, 0, 0, max_characters=10))) == 0


def test_bars_are_as_long_as_their_values_and_marks_are_where_they_belong():
    bars = [svg.Bar("half", 1.0, "1"), svg.Bar("whole", 2.0, "2", "ALERT")]
    root = ElementTree.fromstring(svg.bars(bars, "label", marks=(1.0,)))
    lengths = [float(bar.get("width")) for bar in root.iter("rect")]
    assert lengths[1] == 2 * lengths[0]
    start = float(root.find("rect").get("x"))
    assert float(root.find("line").get("x1")) == pytest.approx(start + lengths[0])
    assert [bar.get("class") for bar in root.iter("rect")] == ["mark bar", "mark ALERT"]


def test_a_mark_beyond_all_bars_stays_within_the_drawing():
    root = ElementTree.fromstring(svg.bars([svg.Bar("small", 0.01, "0.01")], "label", marks=(0.2,)))
    width = float(root.get("viewBox").split()[2])
    assert float(root.find("line").get("x1")) < width


def test_an_interval_encloses_its_value():
    entry = svg.Interval("north", 0.4, 0.3, 0.5, "0.4000")
    root = ElementTree.fromstring(svg.intervals([entry], 0.6, "label"))
    mark, interval = root.iter("line")
    low, high, dot = (
        float(part) for part in (interval.get("x1"), interval.get("x2"), root.find("circle").get("cx"))
    )
    assert low < dot < high < float(mark.get("x1"))


def test_a_difference_is_drawn_right_of_the_middle_when_it_is_above_zero():
    root = ElementTree.fromstring(svg.small_interval(0.01, 0.06, 0.11, 0.11))
    assert float(root.find("circle").get("cx")) > 100
    assert float(list(root.iter("line"))[1].get("x2")) == 190


@pytest.mark.parametrize(
    ("span", "whole", "step"), [(1.0, False, 0.5), (7, True, 2), (2, True, 1), (2150, True, 1000)]
)
def test_axis_steps_are_round(span: float, whole: bool, step: float) -> None:
    assert svg.nice_step(span, whole=whole) == pytest.approx(step)
