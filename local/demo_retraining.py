"""The second half of `make demo`: outcomes, a drop of quality, a proposal, and the model after it."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.demo_training import TIMEOUT_SECONDS, DemoTrainings
from local.errors import LocalCloudError
from local.stack import DeployedStack, read_form, wait
from mlops.models.metrics import metric_name

# outcomes are there at once, and only the newer rows are learned from: the older ones have other outcomes
SETTINGS = b"""
[output]
keep_columns = ["*"]
reasons = 3

[quality]
label_delay_days = 0

[retrain]
policy = "propose"
files = "none"
cool_down_days = 0
"""
_REPORT = "/quality_report.json"
ID, TARGET = "patient_id", "offtrt"


@dataclass(frozen=True, slots=True)
class DemoRetraining:
    """Walks from the outcomes of rows that `version` scored to a new model in service."""

    trainings: DemoTrainings
    version: str
    outcomes: Path

    @property
    def _stack(self) -> DeployedStack:
        return self.trainings.stack

    def walk(self, *scored: Path) -> str:
        """Drop the outcomes of scored files, and follow what comes of them; return the new version.

        The outcomes of the trial are exchanged, as if other patients than before went off their treatment:
        the same inputs, and another outcome.
        """
        seen, existing = self._stack.cloud.newest_email_id(), self._stack.executions("TrainModel")
        self._label([row[ID] for path in scored for row in _rows(path)])
        self._start(seen)
        execution = self._stack.wait_for_execution("TrainModel", existing, TIMEOUT_SECONDS)
        return self.trainings.follow(execution, after=seen)

    def _label(self, people: Sequence[str]) -> None:
        group, say = self.trainings.group, self.trainings.say
        outcomes = {row[ID]: row[TARGET] for row in _rows(self.outcomes)}
        lines = [f"{ID},{TARGET}", *(f"{person},{'10'[int(outcomes[person])]}" for person in people)]
        self._stack.drop("\n".join([*lines, ""]).encode(), f"{group}/labels/outcomes.csv")
        say.line(f"dropped {group}/labels/outcomes.csv: the outcomes of the trial, with 0 and 1 exchanged")
        report = wait(lambda: self._measured(len(people)), "realised quality", 300)
        overall = report["overall"]
        score, approved = overall["scores"][report["metric"]]["value"], overall["approved"]["value"]
        say.line(
            f"quality {report['verdict']}: {metric_name(report['metric'])} {score:.3f} over "
            f"{overall['n_labels']} outcomes, approved with {approved:.3f}"
        )
        if report["verdict"] != "DROPPED":
            raise LocalCloudError("The exchanged outcomes were not found to be worse than expected.")

    def _measured(self, n_labels: int) -> dict[str, Any] | None:
        """Return the newest report of quality once it counts so many outcomes of the version."""
        keys = [key for key in self._stack.keys(f"quality/{self.trainings.group}/") if key.endswith(_REPORT)]
        report = json.loads(self._stack.read(keys[-1])) if keys else None
        if report is None or report["model_version"] != self.version:
            return None
        return dict(report) if report["overall"]["n_labels"] >= n_labels else None

    def _start(self, seen: int) -> None:
        """Open the page of the proposal, and start the retraining."""
        say, stack = self.trainings.say, self._stack
        mail = stack.wait_for_email(
            lambda m: m["id"] > seen and any("/retrainings/" in link for link in m["links"]), "proposal"
        )
        say.line(f"email to {mail['to']}: {mail['subject']}")
        say.quote(mail["body"])
        if self.trainings.by_hand:
            say.line("APPROVE=me: open the link above and start the retraining; waiting")
            return
        link = next(link for link in mail["links"] if "/retrainings/" in link)
        page = stack.cloud.request("GET", link)
        answer = stack.post_form(link, read_form(page.text).hidden) if page.status == 200 else page
        if answer.status not in (200, 303):
            raise LocalCloudError(f"The page of the proposal answered {answer.status}: {answer.text[:300]}")
        say.line(f"opened the page and started the retraining (HTTP {answer.status})")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
