"""Reads the rows of a retraining as text: those of accepted files, and labelled ones of the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.catalog.acceptance import DatasetStorage, current_contract
from mlops.dataset.table.values import as_texts
from mlops.dataset.validation.reading import load_table
from mlops.ledger.batches import LedgerBatches
from mlops.ledger.files import LedgerFiles
from mlops.ledger.labels.joining import JoinTerms
from mlops.ledger.labels.labelled_rows import LabelledRows, LabelledRowsQuery, write_labelled_rows
from mlops.models.dataset import Contract, DatasetVersion
from mlops.models.errors import DatasetError, ObjectNotFoundError, TrainingError
from mlops.models.intake.retraining import TrainingSource
from mlops.models.registry import ModelMetadata
from mlops.models.settings.group import GroupSettings
from mlops.pages.number_format import counted
from mlops.use_cases.quality.record_labels import id_columns_of

_MAX_NAMED = 5

type Keys = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class RowSources:
    """Where the rows are: datasets, the ledger and its labels."""

    datasets: DatasetStorage
    ledger: LedgerFiles
    labels: LedgerFiles
    batches: LedgerBatches


@dataclass(frozen=True, slots=True)
class SourceRows:
    """Rows of one file, or of the ledger; `batches` names the batch of each row of the ledger.

    `n_repeated` rows were left out, because a newer source has them.
    """

    name: str
    cells: pd.DataFrame
    batches: NDArray[np.object_] | None = None
    n_repeated: int = 0

    def described(self) -> Iterator[TrainingSource]:
        """Yield the source, of the ledger one for each batch."""
        if self.batches is None:
            yield TrainingSource("file", self.name, len(self.cells), self.n_repeated)
            return
        for number, (batch, n_rows) in enumerate(Counter(self.batches.tolist()).items()):
            yield TrainingSource("ledger", batch, n_rows, 0 if number else self.n_repeated)


@dataclass(frozen=True, slots=True)
class RowsOfGroup:
    """The rows of a group that its champion may be trained on again.

    `contract` has the columns, `needed` are those that a row cannot do without, `ids` name a row. `left_out`
    collects what cannot be used, and why. `folder` is for copies of files.
    """

    champion: ModelMetadata
    settings: GroupSettings
    sources: RowSources
    folder: Path
    contract: Contract
    target: str
    needed: tuple[str, ...]
    ids: tuple[str, ...]
    left_out: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls, champion: ModelMetadata, settings: GroupSettings, sources: RowSources, folder: Path
    ) -> RowsOfGroup:
        """Find out by which columns the rows of a group are read.

        Raises
        ------
        TrainingError
            If no file of the group was ever accepted.
        """
        group = champion.model_group
        contract = current_contract(group, sources.datasets)
        if contract is None:
            raise TrainingError(f"The group {group} has no accepted training file to start from; drop one.")
        target = settings.target or champion.target or contract.target or contract.names[-1]
        named = {*champion.features, *settings.group_columns, settings.time_column}
        if settings.date_parts:
            named |= {column.name for column in contract.columns if column.kind == "date"}
        named -= {target, *settings.exclude_columns}
        needed = tuple(name for name in contract.names if name in named)
        ids = settings.id_columns or id_columns_of(champion, sources.batches.list(group))
        return cls(champion, settings, sources, folder, contract, target, needed, ids)

    def of_files(self) -> list[SourceRows]:
        """Return the rows of accepted files, the oldest first; a file that cannot be used is left out."""
        return [rows for rows in map(self._usable, self._files()) if rows is not None]

    def of_newest_file(self) -> SourceRows | None:
        """Return the rows of the newest file that can be used; None without one."""
        usable = map(self._usable, reversed(self._files()))
        return next((rows for rows in usable if rows is not None), None)

    def _files(self) -> Sequence[DatasetVersion]:
        dropped = self.sources.datasets.versions.list_datasets(self.champion.model_group)
        files = [dataset for dataset in dropped if dataset.lineage is None]
        return {"all": files, "latest": files[-1:], "none": []}[self.settings.retrain.files]

    def of_ledger(
        self, now: datetime, columns: Sequence[str] | None = None
    ) -> tuple[SourceRows | None, LabelledRows]:
        """Return the labelled rows, in the order in which they were scored; None without any.

        Parameters
        ----------
        columns
            Those that are read beside the target; by default all of the contract.
        """
        group, retrain = self.champion.model_group, self.settings.retrain
        if not retrain.ledger_rows:
            return None, LabelledRows()
        names = [name for name in self.contract.names if columns is None or name in columns]
        columns = tuple(name for name in names if name != self.target)
        since = now.astimezone(UTC).date() - timedelta(days=retrain.ledger_days)
        query = LabelledRowsQuery(group, columns, self.needed, since, retrain.exclude_predictions)
        terms = JoinTerms("regression", self.ids)  # labels are taken as their files write them
        path = self.folder / "labelled.csv"
        labelled = write_labelled_rows(
            query, terms, path, ledger=self.sources.ledger, labels=self.sources.labels
        )
        self._say_what_is_left_out(labelled)
        if not labelled.n_rows:
            return None, labelled
        read = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
        cells = pd.DataFrame({name: read[f"c{n}"] for n, name in enumerate(columns)}, copy=False)
        cells[self.target] = read["label"]
        ordered = cells[[name for name in self.contract.names if name in cells.columns]]
        return SourceRows("ledger", ordered, read["batch"].to_numpy(dtype=object)), labelled

    def of_champion(self, files: list[SourceRows]) -> SourceRows | None:
        """Return the rows that the champion was trained on; None where they are not stored here."""
        find = self.sources.datasets.versions.find_dataset
        dataset = find(self.champion.model_group, self.champion.dataset_version)
        if dataset is None:
            return None
        read = next((rows for rows in files if rows.name == dataset.dataset_id), None)
        try:
            return read or self._read(dataset)
        except (DatasetError, ObjectNotFoundError):
            return None

    def _usable(self, dataset: DatasetVersion) -> SourceRows | None:
        name = f"The file {dataset.dataset_id[:12]} of {dataset.created_at:%Y-%m-%d}"
        try:
            rows = self._read(dataset)
        except (DatasetError, ObjectNotFoundError) as error:
            self.left_out.append(f"{name}, which cannot be read any more: {error}")
            return None
        has_values = rows.cells.notna().any()
        if absent := [column for column in (*self.needed, self.target) if not has_values[column]]:
            self.left_out.append(f"{name}, which has no {', '.join(absent[:_MAX_NAMED])}.")
            return None
        return rows

    def _read(self, dataset: DatasetVersion) -> SourceRows:
        path = self.folder / dataset.dataset_id[:16] / dataset.ref.key.rsplit("/", 1)[-1]
        path.parent.mkdir(exist_ok=True)
        self.sources.datasets.objects.download(dataset.ref, path)
        table = load_table(path, replace(self.settings, target=self.target), self.contract)
        path.unlink()
        cells = pd.DataFrame({name: as_texts(table[name]) for name in table.names}, copy=False)
        return SourceRows(dataset.dataset_id, cells.reindex(columns=list(self.contract.names)))

    def _say_what_is_left_out(self, labelled: LabelledRows) -> None:
        if labelled.n_without_inputs:
            self.left_out.append(
                f"{counted(labelled.n_without_inputs, 'scored row')} with a known outcome, because inputs of "
                'the model were not kept; `[output] keep_columns = ["*"]` in model.toml keeps them.'
            )
        if labelled.n_excluded:
            self.left_out.append(
                f"{counted(labelled.n_excluded, 'scored row')} whose prediction changed the outcome "
                "(`exclude_predictions`)."
            )


def identity_of(rows: SourceRows, ids: tuple[str, ...], needed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that tell rows apart: the ids where no row shares them, else all inputs."""
    present = [name for name in ids if name in rows.cells.columns]
    named = rows.cells[present]
    if present and len(present) == len(ids):
        is_unique = not named.duplicated().any() and not named.isna().to_numpy().any()
        if is_unique:
            return tuple(present)
    return tuple(dict.fromkeys((*present, *needed)))


def keys_of(rows: SourceRows, identity: tuple[str, ...]) -> Keys:
    """Return a hash for each row over the columns that tell rows apart."""
    texts = pd.DataFrame({name: rows.cells[name].astype(object).fillna("") for name in identity})
    return np.asarray(pd.util.hash_pandas_object(texts, index=False), dtype=np.uint64)


def each_once(sources: list[SourceRows], identity: tuple[str, ...]) -> list[SourceRows]:
    """Return the sources without rows that a newer one has.

    A file may have a row several times, as its owner wrote it. Of a row that was scored several times the
    last one counts.
    """
    kept, seen = list[SourceRows](), list[Keys]()
    for rows in reversed(sources):
        keys = keys_of(rows, identity)
        is_kept = ~np.isin(keys, np.concatenate(seen)) if seen else np.ones(len(keys), dtype=np.bool_)
        if rows.batches is not None:
            is_kept &= ~pd.Series(keys).duplicated(keep="last").to_numpy()
        seen.append(keys)
        batches = None if rows.batches is None else rows.batches[is_kept]
        kept.append(SourceRows(rows.name, rows.cells[is_kept], batches, int((~is_kept).sum())))
    return kept[::-1]
