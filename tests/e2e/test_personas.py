"""What each person does in a browser, from the email or the first page to what they came for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from local.stack import DeployedStack
from tests.e2e.walks import A_QUICK_MODEL, GROUP, Walk, a_regression_table, start_training, walk

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

PATIENCE = 60_000  # milliseconds


@pytest.fixture
def window(chromium: Any) -> Iterator[Any]:
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    page.close()


def open_email(window: Any, stack: DeployedStack, subject: str) -> None:
    """Open the newest email of that subject in the inbox."""
    stack.wait_for_email(lambda mail: subject in mail["subject"], subject)
    window.goto(f"{stack.cloud.endpoint}/_local/inbox")
    window.locator("a.row", has_text=subject).first.click()
    window.wait_for_url(re.compile(r"/inbox/\d+$"))


def text_of(window: Any) -> str:
    return " ".join(window.locator("body").inner_text().split())


def test_someone_who_drops_a_first_file_reads_why_it_is_refused(
    stack: DeployedStack, window: Any, tmp_path: Path
) -> None:
    table = tmp_path / "houses.csv"
    table.write_bytes(a_regression_table().to_csv(index=False).encode() + b"1,2,3,4,5,6,7\n")
    window.goto(f"{stack.cloud.endpoint}/_local/")
    window.get_by_label("Group").fill("newcomer")
    window.get_by_label("What it is").select_option("training")
    window.locator("input[type=file]").set_input_files(table)
    window.get_by_role("button", name="Drop it").click()
    assert "newcomer/training/houses.csv" in text_of(window)
    open_email(window, stack, "[newcomer]")
    said = text_of(window)
    assert "houses.csv" in said
    assert "402" in said, "the line that is too long"
    assert "model.toml" in said


def test_an_approver_follows_the_link_and_sees_what_happens_next(stack: DeployedStack, window: Any) -> None:
    execution = start_training(stack, "browsed", a_regression_table(seed=41), A_QUICK_MODEL)
    open_email(window, stack, "Approve browsed v1.0.0")
    window.locator("a[href*='/approvals/']").first.click()
    window.get_by_text("Passes its gate").first.wait_for()
    window.get_by_role("link", name="Approve or reject v1.0.0").click()
    window.get_by_label("Approve").check()
    window.get_by_label("Type the version").fill("v1.0.0")
    window.get_by_role("button", name="Send decision").click()
    window.get_by_text("What happens next").wait_for()
    assert walk(stack, execution).states[-1] == "Model approved"


def test_a_data_scientist_gets_the_predictions_behind_the_link(
    stack: DeployedStack, window: Any, scored: Walk, tmp_path: Path
) -> None:
    open_email(window, stack, "predictions of score.csv are ready")
    window.locator("a[href*='/results/']").first.click()
    window.get_by_role("heading", name="score.csv").wait_for()
    with window.expect_download() as started:
        window.get_by_role("button", name=re.compile("predictions", re.IGNORECASE)).first.click()
    target = tmp_path / started.value.suggested_filename
    started.value.save_as(target)
    predictions = pd.read_csv(target)
    assert {"row", "prediction", "row_status"} <= set(predictions)
    assert len(predictions) == scored.output["n_rows"]


def test_whoever_is_on_call_comes_from_the_dashboard_to_what_changed(
    stack: DeployedStack, window: Any, drift_mail: dict
) -> None:
    window.goto(stack.dashboard_url)
    row = window.locator("tr", has=window.get_by_role("rowheader", name=GROUP, exact=True)).first
    assert "ALERT" in row.inner_text()
    open_email(window, stack, drift_mail["subject"])
    window.locator("a[href*='/alerts/']").first.click()
    window.get_by_text("What changed").wait_for()
    assert window.get_by_role("button", name=re.compile("Snooze")).is_visible()
