"""What a retraining of a group would be: its training set, and what it would cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlops.dataset.limits import Limits
from mlops.intake.retraining.requests import no_champion
from mlops.intake.retraining.source_rows import RowSources
from mlops.intake.retraining.training_set import TrainingSet, count_new_labels, make_training_set
from mlops.models.registered import RegisteredModels
from mlops.models.registry import ModelMetadata
from mlops.models.settings.group import GroupSettings
from mlops.pages.number_format import duration, rows, usd
from mlops.pipelines.jobs.prices import cost_usd, usd_per_hour
from mlops.pipelines.jobs.training_cost import expected_seconds


@dataclass(frozen=True, slots=True)
class RetrainingPlanner:
    """Makes the training set of a group; `settings_of` reads `model.toml` as it is now.

    `usd_per_hour` is the price of an instance hour that the deployment names; 0 = the list price.
    """

    sources: RowSources
    models: RegisteredModels
    settings_of: Callable[[str], GroupSettings]
    limits: Limits
    usd_per_hour: float = 0.0

    @contextmanager
    def plan(self, group: str, now: datetime) -> Iterator[TrainingSet]:
        """Provide the training set; its file exists meanwhile.

        Raises
        ------
        TrainingError
            If the group has no champion, or nothing to train on.
        SettingsError
            If `model.toml` cannot be read.
        """
        champion, settings = self._champion(group), self.settings_of(group)
        with TemporaryDirectory() as folder:
            yield make_training_set(
                champion, settings, self.sources, Path(folder), limits=self.limits, now=now
            )

    def count_new_labels(self, group: str, now: datetime) -> int:
        """Count the labelled rows that are new to the champion; no training set is made.

        Raises
        ------
        TrainingError
            If the group has no champion, or no accepted file.
        SettingsError
            If `model.toml` cannot be read.
        """
        champion, settings = self._champion(group), self.settings_of(group)
        with TemporaryDirectory() as folder:
            return count_new_labels(champion, settings, self.sources, Path(folder), now=now)

    def _champion(self, group: str) -> ModelMetadata:
        champion = self.models.champion(group)
        if champion is None:
            raise no_champion(group)
        return champion

    def cost(self, group: str, n_rows: int) -> str:
        """Say what a training of so many rows would cost."""
        return _expected_cost(n_rows, list(self.models.list_models(group)), self.usd_per_hour)


def _expected_cost(n_rows: int, models: list[ModelMetadata], override: float) -> str:
    """Say what a training would cost by the last ones of the group, and their machine."""
    seconds = expected_seconds(n_rows, models)
    jobs = [model.training_job for model in models if model.training_job]
    machine = jobs[-1].instance_type if jobs else None
    cost = cost_usd(seconds, usd_per_hour(machine or "", override))
    place = f" on {machine}" if machine else ""
    amount = f"about {usd(cost)}" if cost is not None else "a price that is not known here"
    return f"It costs {amount}: some {duration(seconds)}{place}."


def counts_of(made: TrainingSet) -> dict[str, Any]:
    """Return the fields of a retraining that say what it is trained on."""
    return {
        "files_rows": made.files_rows,
        "ledger_rows": made.ledger_rows,
        "n_new_rows": made.n_new_rows,
        "left_out": made.lineage.left_out,
    }


def describe_plan(group: str, made: TrainingSet, cost: str) -> str:
    """Describe a training set for people: rows by source, what is left out, cost."""
    lines = [
        f"Retraining of {group}: {rows(made.report.n_rows)}, {made.n_new_rows:,} new to the champion",
        "",
    ]
    for source in made.lineage.sources:
        kind = "file" if source.kind == "file" else "labelled rows of batch"
        repeated = f" ({source.n_repeated:,} repeated ones left out)" if source.n_repeated else ""
        lines.append(f"  {source.n_rows:>9,} rows  {kind} {source.name[:12]}{repeated}")
    lines += [f"  left out: {sentence}" for sentence in made.lineage.left_out]
    held_out = "the last rows are held out" if made.settings.split == "last_rows" else "as model.toml says"
    lines += ["", f"Held out: {held_out}.", cost]
    if made.problem:
        lines += [f"It cannot be trained: {made.problem}"]
    return "\n".join(lines)
