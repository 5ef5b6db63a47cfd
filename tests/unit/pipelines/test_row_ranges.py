"""A file that is scored in ranges of its rows gives, byte for byte, what it gives at once."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
import sys
from codecs import BOM_UTF8
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from mlops.dataset.validation.row_ranges import RowRange
from mlops.models.errors import ArtifactError, DatasetError
from mlops.models.scoring.result import InferenceResult
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.scoring import OutputSettings, ScoringSettings
from mlops.pipelines.artifact_files import COMPILED, COMPILED_BOOSTER
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.described_model import DescribedModel
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.scoring.batch_rows import RowCounts
from mlops.pipelines.scoring.ranges import RangePlan, ScoredRange
from mlops.pipelines.scoring.reasons import NO_REASONS

from .conftest import build_table

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ROWS = 4_000
# text with everything that ends a record elsewhere: 4,000 of them fill several blocks of the reader
NOTE = 'first line\nsecond, "quoted"; line\r\n' + "word " * 180
KEPT = GroupSettings(output=OutputSettings(keep_columns=("region",)))


def patients(rows: int = ROWS) -> pd.DataFrame:
    return build_table(rows, seed=5).drop(columns="outcome").assign(note=NOTE)


def written(frame: pd.DataFrame, **options) -> bytes:
    return frame.to_csv(index=False, **options).encode()


def with_decimal_commas() -> bytes:
    return written(patients(), sep=";", decimal=",")


def with_blank_lines() -> bytes:
    lines = written(patients().assign(note="word " * 180)).splitlines(keepends=True)
    return b"".join(line + (b"\n" if number % 50 == 0 else b"") for number, line in enumerate(lines))


WRITTEN: dict[str, Callable[[], bytes]] = {
    "quoted newlines": lambda: written(patients()),
    "CRLF": lambda: written(patients(), lineterminator="\r\n"),
    "byte order mark": lambda: BOM_UTF8 + written(patients()),
    "decimal commas": with_decimal_commas,
    "blank lines": with_blank_lines,
    "no last newline": lambda: written(patients()).removesuffix(b"\n"),
}
each_way_of_writing = pytest.mark.parametrize("content", WRITTEN.values(), ids=WRITTEN.keys())


@pytest.fixture
def pipeline(trained) -> InferencePipeline:
    return InferencePipeline(trained("LogisticRegression", "binary").model_path, model_version="v1.0.0")


@pytest.fixture
def put(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes, name: str = "score.csv") -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


def planned(pipeline: InferencePipeline, path: Path, settings: GroupSettings = KEPT) -> RangePlan:
    plan = pipeline.described.plan_ranges(path, 1, settings=settings)
    assert plan is not None
    assert len(plan.ranges) > 2
    return RangePlan.from_json(plan.to_json())


def in_ranges(
    pipeline: InferencePipeline, path: Path, folder: Path, settings: GroupSettings = KEPT
) -> InferenceResult:
    """Score as three functions do that share nothing but documents and bytes."""
    plan, scored = planned(pipeline, path, settings), []
    for row_range in plan.ranges:
        source, target = part_of(path, row_range), folder / f"{row_range.index}.predictions"
        part = pipeline.score_range(plan, row_range, source, target)
        scored.append(ScoredRange(part.predictions, RowCounts.from_json(part.counts.to_json())))
    return pipeline.described.merge_ranges(plan, scored, folder / "ranges", now=NOW)


def part_of(path: Path, row_range: RowRange) -> Path:
    """The bytes of a range as a file of their own."""
    part = path.with_name(f"{row_range.index}.csv")
    part.write_bytes(path.read_bytes()[row_range.start_byte : row_range.stop_byte])
    return part


@each_way_of_writing
def test_ranges_and_the_whole_file_give_the_same_bytes(content, pipeline, put, tmp_path: Path):
    path = put(content())
    whole = pipeline.execute(path, tmp_path / "whole", settings=KEPT, now=NOW)
    ranges = in_ranges(pipeline, path, tmp_path)
    assert whole.n_rows == ROWS
    assert replace(ranges, predictions_path=whole.predictions_path) == whole
    assert contents(tmp_path / "ranges") == contents(tmp_path / "whole")


def test_ranges_are_listed_and_merged_without_scikit_learn_also_of_a_model_that_needs_it(
    trained, put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    directory = tmp_path / "model"
    shutil.copytree(trained("LogisticRegression", "binary").model_path, directory)
    for name in (COMPILED, COMPILED_BOOSTER):
        (directory / name).unlink(missing_ok=True)
    artifacts.write_manifest(artifacts.read_manifest(directory), directory)
    with_reasons = replace(KEPT, output=replace(KEPT.output, reasons=2))
    scikit_learn, path = InferencePipeline(directory), put(written(patients()))
    whole = scikit_learn.execute(path, tmp_path / "whole", settings=with_reasons, now=NOW)
    plan = planned(scikit_learn, path, with_reasons)
    scored = [
        scikit_learn.score_range(plan, row_range, part_of(path, row_range), tmp_path / f"{row_range.index}")
        for row_range in plan.ranges
    ]
    monkeypatch.setitem(sys.modules, "sklearn", None)
    alone = DescribedModel.read(directory)
    assert alone.plan_ranges(path, 1, settings=with_reasons) == plan
    merged = alone.merge_ranges(plan, scored, tmp_path / "ranges", now=NOW)
    assert NO_REASONS in merged.data_quality.findings
    assert replace(merged, predictions_path=whole.predictions_path) == whole
    assert contents(tmp_path / "ranges") == contents(tmp_path / "whole")
    with pytest.raises(ArtifactError, match=r"no compiled form, and scikit-learn.* is not installed"):
        alone.load()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_ranges_and_the_whole_file_give_the_same_bytes_of_gzip(pipeline, put, tmp_path: Path):
    path = put(written(patients()))
    compressed = GroupSettings(output=OutputSettings(compression="gzip"))
    pipeline.execute(path, tmp_path / "whole", settings=compressed, now=NOW)
    in_ranges(pipeline, path, tmp_path, compressed)
    assert contents(tmp_path / "ranges") == contents(tmp_path / "whole")
    assert (tmp_path / "ranges" / "predictions.csv.gz").is_file()


@each_way_of_writing
def test_a_range_begins_at_a_record_that_the_csv_module_finds_too(content, pipeline, put):
    path = put(content())
    delimiter = ";" if content is with_decimal_commas else ","
    for row_range in planned(pipeline, path).ranges:
        before = path.read_bytes()[: row_range.start_byte].decode("utf-8-sig")
        assert before.endswith("\n")
        records = [
            record for record in csv.reader(io.StringIO(before, newline=""), delimiter=delimiter) if record
        ]
        assert len(records) - 1 == row_range.n_rows_before


def test_rows_of_several_ranges_that_cannot_be_scored_are_judged_together(pipeline, put, tmp_path: Path):
    frame = patients().astype({"age": object, "dose": object})
    frame.loc[:99, "age"] = "unclear"  # a twentieth of the file at most in each column, and in its first
    frame.loc[ROWS - 80 :, "dose"] = "unclear"  # and last range
    path = put(written(frame))
    few = GroupSettings(scoring=ScoringSettings(max_bad_share=0.04))
    many = GroupSettings(scoring=ScoringSettings(max_bad_share=0.10))
    with pytest.raises(DatasetError, match="180 of 4,000 rows cannot be scored") as at_once:
        pipeline.execute(path, tmp_path / "whole", settings=few)
    with pytest.raises(DatasetError) as merged:
        in_ranges(pipeline, path, tmp_path, few)
    assert str(merged.value) == str(at_once.value)
    assert not (tmp_path / "ranges" / "predictions.csv").exists()
    assert in_ranges(pipeline, path, tmp_path, many).data_quality.n_scored == ROWS - 180


@pytest.mark.parametrize(
    "content",
    [
        lambda: gzip.compress(written(patients())),
        lambda: written(patients().assign(region="Übersee")).decode().encode("cp1252"),
        lambda: written(patients().assign(note="x")).replace(b"\n", b"\r"),
    ],
    ids=["gzip", "not UTF-8", "carriage returns"],
)
def test_a_file_that_is_converted_while_it_is_read_is_not_cut(content, pipeline, put):
    assert pipeline.described.plan_ranges(put(content()), 1) is None
