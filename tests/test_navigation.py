"""A reader finds each page of the documentation, and each of the usual jobs, within two clicks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
INDEX = DOCS / "index.md"
CLICKS = 2

# what people come for, and words that the page has which they find
JOBS = {
    "train a first model on a CSV of one's own": ("tutorial/first-model.md", "my.csv"),
    "change what is learned": ("reference/settings.md", "target"),
    "have a rejected file accepted": ("how-to/accept-a-file.md", "mlops validate"),
    "start a failed training again": ("how-to/retry-a-training.md", "mlops retry"),
    "roll back": ("how-to/roll-back.md", "mlops rollback"),
    "know how good the predictions were": ("how-to/measure-quality.md", "labels"),
    "answer a drift alert": ("how-to/answer-a-drift-alert.md", "alert"),
    "add an approver": ("how-to/change-approvers.md", "SecondApproverEmail"),
    "deploy and upgrade": ("how-to/deploy.md", "make deploy"),
    "back up, restore and know the cost": ("how-to/operations.md", "mlops restore"),
    "remove the stack": ("how-to/remove-the-stack.md", "sam delete"),
    "change the schedules": ("how-to/change-schedules.md", "Schedule"),
    "use an image of one's own": ("how-to/use-your-own-image.md", "TrainingImageUri"),
    "copy runs to MLflow": ("how-to/use-mlflow.md", "mlops runs export"),
}


def links(page: Path) -> set[Path]:
    """The pages of the site that the text of a page links to; the tables of contents do not count."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    paths = [(page.parent / target).resolve() for target in targets if target.endswith(".md")]
    return {path for path in paths if path.is_relative_to(DOCS)}


def within(clicks: int) -> set[Path]:
    pages = {INDEX}
    for _ in range(clicks):
        pages |= {target for page in pages for target in links(page)}
    return pages


def test_every_page_is_two_clicks_from_the_first_one() -> None:
    pages = {path for path in DOCS.rglob("*.md") if not re.match(r"\d{4}-", path.name)}
    assert not {path.relative_to(DOCS).as_posix() for path in pages - within(CLICKS)}


@pytest.mark.parametrize("job", JOBS)
def test_each_usual_job_is_found_within_two_clicks(job: str) -> None:
    page, words = JOBS[job]
    assert DOCS / page in within(CLICKS)
    assert words in (DOCS / page).read_text("utf-8")
