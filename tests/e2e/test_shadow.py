"""The candidate that waits for approval scores what the champion has scored, with permissions enforced."""

from __future__ import annotations

import pytest

from local.cloud import HttpAnswer

pytestmark = pytest.mark.e2e


def test_the_approval_page_says_how_often_the_candidate_agrees(shadowed: HttpAnswer) -> None:
    assert shadowed.status == 200
    assert "In shadow" in shadowed.text
    assert "120 rows" in shadowed.text
