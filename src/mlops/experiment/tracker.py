"""The public face of the experiments: start runs, list them, compare them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from mlops.experiment import changes
from mlops.experiment.active_run import ActiveRun
from mlops.experiment.comparison.comparison import RunComparison, compare
from mlops.experiment.conditions import Condition, parse_where
from mlops.experiment.history import read_points
from mlops.experiment.names import require_group, require_name, require_run_id
from mlops.experiment.origins import library_digest
from mlops.experiment.store import RunStore
from mlops.experiment.values import flatten
from mlops.infrastructure.clock import utc_now
from mlops.models.errors import RunNotFoundError
from mlops.models.experiment import MetricPoint, Run, RunDataset, RunStatus

COMPARED_RUNS = 10


def new_run_id() -> str:
    """Return a new random id."""
    return uuid.uuid4().hex[:16]


class ExperimentTracker:
    """The runs of all model groups in one store.

    Parameters
    ----------
    store
        `open_store` returns one.
    now, new_id
        Clock and source of ids.
    """

    def __init__(
        self,
        store: RunStore,
        *,
        now: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = new_run_id,
    ) -> None:
        self.store = store
        self._now = now
        self._new_id = new_id

    def start_run(
        self,
        group: str,
        *,
        name: str | None = None,
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        dataset: RunDataset | None = None,
        code_digest: str | None = None,
        run_id: str | None = None,
    ) -> ActiveRun:
        """Start a run, to be used with `with`; see `ActiveRun` for the verbs. Its name is its id by default.

        Parameters
        ----------
        dataset
            The training data; see `describe_dataset` of `mlops.experiment.origins`.
        code_digest
            The digest of the code; default is that of this library.
        run_id
            Default is a random id. A run of that id that is still running continues.

        Raises
        ------
        ExperimentError
            If a name is impossible, a param too long, or the run of that id has ended.
        """
        run_id = require_run_id(run_id or self._new_id())
        run = Run(
            run_id=run_id,
            group=require_group(group),
            name=name or run_id,
            status=RunStatus.RUNNING,
            started_at=self._now(),
            params=dict(flatten(params or {})),
            tags={require_name(key, "tag"): str(value) for key, value in (tags or {}).items()},
            dataset=dataset,
            code_digest=code_digest or library_digest(),
        )
        return ActiveRun(self.store, changes.require_running(self.store.add(run)), now=self._now)

    def get_run(self, group: str, run_id: str) -> Run:
        """Return one run.

        Raises
        ------
        RunNotFoundError
            If the run does not exist; the message names the nearest one.
        """
        run = self.store.find(require_group(group), require_run_id(run_id))
        if run is None:
            raise self.store.missing_run(group, run_id)
        return run

    def groups(self) -> list[str]:
        """Return the names of the groups that have a run."""
        return self.store.groups()

    def list_runs(
        self, group: str, *, where: str | Sequence[Condition] = "", limit: int | None = None
    ) -> list[Run]:
        """Return the runs of a group that fulfil all conditions, the last started first.

        `where` is written as in MLflow: `metrics.roc_auc > 0.7 and params.algorithm = 'XGBoost'`; see
        `parse_where`.
        """
        return list(islice(self._select(group, where), limit))

    def best_run(
        self,
        group: str,
        metric: str,
        *,
        greater_is_better: bool = True,
        where: str | Sequence[Condition] = "",
    ) -> Run:
        """Return the finished run with the best value of a metric; of equal ones the earliest started.

        All our scores are written so that greater is better; say `greater_is_better=False` for a loss.

        Raises
        ------
        RunNotFoundError
            If no finished run has the metric; the message names the metrics that there are.
        """
        finished = [run for run in self._select(group, where) if run.status is RunStatus.FINISHED]
        scored = [(value, run) for run in finished if (value := run.metrics.get(metric)) is not None]
        if not scored:
            names = sorted({name for run in finished for name in run.metrics})
            raise RunNotFoundError(
                f"No finished run of {group} has the metric {metric!r}; "
                f"there are: {', '.join(names) or 'none'}."
            )
        sign = 1 if greater_is_better else -1
        # the list is newest first, and max keeps the first of equal ones
        return max(reversed(scored), key=lambda entry: sign * entry[0])[1]

    def compare(self, group: str, run_ids: Sequence[str] = ()) -> RunComparison:
        """Compare runs in the order of `run_ids`; without ids, the ten that started last, oldest first.

        Raises
        ------
        RunNotFoundError
            If a run does not exist, or the group has none.
        """
        if run_ids:
            return compare([self.get_run(group, run_id) for run_id in run_ids])
        runs = self.list_runs(group, limit=COMPARED_RUNS)
        if not runs:
            raise self.store.missing_run(group, "")
        return compare(runs[::-1])

    def history(self, group: str, run_id: str, metric: str | None = None) -> list[MetricPoint]:
        """Return every logged value of one metric, or of all, by rising step and time."""
        run = self.get_run(group, run_id)
        return read_points(self.store.files(group, run.run_id), metric)

    def set_tags(self, group: str, run_id: str, tags: Mapping[str, Any]) -> Run:
        """Set tags of a run, also of one that has ended: what became of its model, for instance."""
        run = self.get_run(group, run_id)
        texts = {require_name(name, "tag"): str(value) for name, value in tags.items()}
        return self.store.update(group, run.run_id, lambda run: changes.with_tags(run, texts))

    def read_artifact(self, group: str, run_id: str, path: str) -> bytes:
        """Return the content of an artifact that was logged with the run.

        Raises
        ------
        ObjectNotFoundError
            If the run has no such file.
        """
        run = self.get_run(group, run_id)
        return self.store.files(group, run.run_id).read(f"artifacts/{path}")

    def _select(self, group: str, where: str | Sequence[Condition]) -> Iterator[Run]:
        conditions = parse_where(where) if isinstance(where, str) else where
        runs = self.store.runs(require_group(group))
        return (run for run in runs if all(condition.holds(run) for condition in conditions))
