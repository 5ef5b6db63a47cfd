"""A live copy of runs in MLflow, which never stops or fails what it copies."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mlops.experiment.files import RunFiles
from mlops.experiment.history import read_points
from mlops.experiment.mlflow.export import export_runs
from mlops.experiment.mlflow.server import Credentials, MlflowServer
from mlops.infrastructure import environment
from mlops.models.experiment import Run, RunStatus

logger = logging.getLogger(__name__)

# so that a run with many metrics does not wait for the server at each of them
SECONDS_BETWEEN_COPIES = 10
_TIMEOUT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class MirrorSettings:
    """The variables of MLflow's own client; the experiment is named after the group by default."""

    mlflow_tracking_uri: str
    mlflow_experiment_name: str = ""


class Mirror:
    """Copies a run when it changes: at its start, at most every ten seconds, and at its end.

    After the first fault of the server nothing more is copied by this process; a warning is logged, which
    names the command that copies the rest.
    """

    def __init__(
        self,
        settings: MirrorSettings,
        *,
        credentials: Credentials | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._clock = clock
        self._copied_at: dict[str, float] = {}
        self._is_broken = False

    @classmethod
    def of_environment(cls, variables: Mapping[str, str]) -> Mirror:
        """Return the mirror that `MLFLOW_TRACKING_URI` names; it signs in like `mlops runs export`."""
        settings = environment.read(MirrorSettings, variables)
        return cls(settings, credentials=environment.read(Credentials, variables))

    def __call__(self, run: Run, files: RunFiles) -> None:
        """Copy a run that was stored, and the metrics in its files; never raises."""
        if self._is_broken or not self._is_due(run):
            return
        try:
            self._copy(run, files)
        except Exception as error:  # noqa: BLE001  whatever the server does, the training goes on
            self._is_broken = True
            logger.warning(
                "MLflow has no copy of the run %s of %s: %s Copy it later: mlops runs export %s --to %s",
                run.run_id,
                run.group,
                error,
                run.group,
                self._settings.mlflow_tracking_uri,
            )

    def _is_due(self, run: Run) -> bool:
        copied_at = self._copied_at.get(run.run_id)
        is_late = copied_at is None or self._clock() - copied_at >= SECONDS_BETWEEN_COPIES
        return is_late or run.status is not RunStatus.RUNNING

    def _copy(self, run: Run, files: RunFiles) -> None:
        server = MlflowServer(
            self._settings.mlflow_tracking_uri,
            credentials=self._credentials,
            timeout_seconds=_TIMEOUT_SECONDS,
        )
        experiment = self._settings.mlflow_experiment_name or run.group
        export_runs([run], lambda _: read_points(files), server, experiment=experiment)
        self._copied_at[run.run_id] = self._clock()
