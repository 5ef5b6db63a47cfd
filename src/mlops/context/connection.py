"""`mlops.connect`: what a group has, of a deployed stack or of plain files, from a notebook or a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.context.context import Context, open_context

if TYPE_CHECKING:
    import pandas as pd

    from mlops.models.dataset import DatasetVersion
    from mlops.models.experiment import Run
    from mlops.models.registry import ModelMetadata
    from mlops.registry.comparison.comparison import ModelComparison
    from mlops.registry.model_registry import ModelRegistry


def connect(target: str | Path) -> Connection:
    """Connect to a deployed stack, or to plain files below a directory.

    Parameters
    ----------
    target
        The name of a stack, such as `"mlops"`; or a directory as a `Path`, or as a text with a separator
        (`"./files"`).

    Raises
    ------
    SettingsError
        If there is no stack of that name, or it was deployed from another version of the template.
    """
    if isinstance(target, Path) or target == "." or "/" in target or "\\" in target:
        return Connection(open_context(Path(target)))
    return Connection(open_context(Path(), target))


@dataclass(frozen=True, slots=True)
class Connection:
    """The groups of a stack or of plain files."""

    context: Context

    @property
    def registry(self) -> ModelRegistry:
        """The registry, to register, approve or compare versions."""
        return self.context.registry

    def groups(self) -> list[str]:
        """Return the names of the groups that have a model version."""
        return self.context.registry.groups()

    def group(self, name: str) -> Group:
        """Return one group; it need not have anything yet."""
        return Group(self.context, name)


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its predictions, versions, runs and datasets."""

    context: Context
    name: str

    def predictions(
        self, *, row_id: str | None = None, since: date | str | None = None, sql: str | None = None
    ) -> pd.DataFrame:
        """Return predictions of the group from the ledger.

        Parameters
        ----------
        row_id
            Only rows that have this id.
        since
            Only rows scored on this day or later, in UTC; as text such as `"2026-11-01"`.
        sql
            A SELECT over `predictions`, the selected rows with the columns of `docs/reference/ledger.md`.

        Returns
        -------
        DataFrame
            Without `sql`, in the order in which the rows were scored, with a column for each id and
            `probability_<class>` for each class. Predictions without probabilities are numbers.

        Raises
        ------
        QueryError
            If `sql` is not a SELECT, or fails.
        """
        import pandas as pd

        from mlops.ledger.sql import Selection

        day = date.fromisoformat(since) if isinstance(since, str) else since
        rows = self.context.predictions.select(Selection(self.name, row_id, day), sql)
        frame = pd.DataFrame.from_records(list(rows.values), columns=list(rows.columns))
        if sql is None and not any(name.startswith("probability") for name in rows.columns):
            frame["prediction"] = pd.to_numeric(frame["prediction"])
        return frame

    def quality(self) -> pd.DataFrame:
        """Return the realised quality of the group, and the estimated one of predictions without labels.

        On plain files it is measured now; of a stack it is the newest report.

        Returns
        -------
        DataFrame
            One row for each part of the predictions (`kind` is `overall`, `period`, `segment`, `delay`,
            `version`, `young` or `estimate`): numbers of labels and predictions, each score by
            scikit-learn's name with the ends of its interval as `<score>_low` and `<score>_high`, the
            approved score that it is compared with, and the verdict. Estimates have no verdict, but
            `realised` and `estimate_minus_realised` once their labels came. Without a label or an estimate
            there are no rows.
        """
        import pandas as pd

        from mlops.monitoring.quality.table import rows_of

        report = self.context.quality_report(self.name)
        return pd.DataFrame.from_records(rows_of(report) if report else [])

    def predict(
        self,
        rows: pd.DataFrame | Sequence[Mapping[str, Any]],
        *,
        reasons: bool = False,
        record: bool = True,
    ) -> pd.DataFrame:
        """Predict rows with the champion now: by the API of a stack, or here on plain files.

        Parameters
        ----------
        rows
            From 1 to 1,000 rows: a frame, or a mapping of values by column for each. A missing value is None,
            NaN or NaT.
        reasons
            Whether the columns that moved each prediction most are named.
        record
            Whether a stack records the predictions in the ledger; False for what-if questions.

        Returns
        -------
        DataFrame
            A row for each row, in their order, with the columns of a predictions file; `row_status` says why
            a row has no prediction.

        Raises
        ------
        ModelNotFoundError
            If the group has no champion.
        RequestError
            If the rows cannot be scored as they are.
        """
        import pandas as pd

        from mlops.context.frame_rows import rows_of_frame
        from mlops.use_cases.predict.request_body import checked_request

        frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows), dtype=object)
        request = checked_request(rows_of_frame(frame), reasons=reasons, record=record)
        return pd.DataFrame(list(self.context.predict(self.name, request).predictions))

    def versions(self) -> list[ModelMetadata]:
        """Return the model versions, oldest first."""
        return self.context.registry.list_models(self.name)

    def champion(self) -> ModelMetadata | None:
        """Return the version in service, None before the first promotion."""
        return self.context.registry.champion(self.name)

    def compare(self, a: str, b: str) -> ModelComparison:
        """Return what differs from version `a` to version `b`; a notebook shows it as a page.

        Raises
        ------
        ModelNotFoundError
            If one of them does not exist.
        """
        return self.context.registry.compare_models(self.name, a, b)

    def runs(self) -> list[Run]:
        """Return the training runs, newest first."""
        return self.context.runs.list_runs(self.name)

    def datasets(self) -> tuple[DatasetVersion, ...]:
        """Return the datasets, oldest first."""
        return self.context.datasets.list_datasets(self.name)
