"""What is counted of two models on the same rows, against tables worked out by hand."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.shadow import ShadowAgreement, ShadowPart
from mlops.use_cases.shadow.compare import ScoredFile, compare

CLASSES = PredictionColumns.of([], ["no", "yes"], "row_status", ["site"])
NUMBERS = PredictionColumns.of([], [], "row_status", [])


def a_file(path: Path, columns: PredictionColumns, rows: Sequence[Sequence[object]]) -> ScoredFile:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([columns.names, *rows])
    return ScoredFile(path, columns)


def classes(path: Path, predictions: Sequence[tuple[str, float]], sites: Sequence[str]) -> ScoredFile:
    rows = [
        (number, label, 1 - share, share, "scored" if label else "missing_required", "v1", site)
        for number, ((label, share), site) in enumerate(zip(predictions, sites, strict=True), 1)
    ]
    return a_file(path, CLASSES, rows)


def test_classes_are_compared_by_probability_and_by_value(tmp_path: Path) -> None:
    sites = ["A"] * 25 + ["B"] * 25 + ["C"]
    champion = classes(tmp_path / "a.csv", [("yes", 0.85)] * 25 + [("no", 0.3)] * 25 + [("", 0.0)], sites)
    candidate = classes(
        tmp_path / "b.csv",
        [("yes", 0.6)] * 20 + [("no", 0.4)] * 5 + [("no", 0.1)] * 25 + [("no", 0.1)],
        sites,
    )
    assert compare(champion, candidate, ["site", "absent"]) == ShadowAgreement(
        n_batches=1,
        total=ShadowPart(50, 5),
        parts={
            "predicted yes, probability 0.8 to 0.9": ShadowPart(25, 5),
            "predicted no, probability 0.7 to 0.8": ShadowPart(25, 0),
            "site = A": ShadowPart(25, 5),
            "site = B": ShadowPart(25, 0),
        },
        changes={"yes -> no": 5},
        n_only_candidate=1,
    )


def test_a_value_of_few_rows_is_not_stored(tmp_path: Path) -> None:
    sites = [f"person {number}" for number in range(30)]
    one = classes(tmp_path / "a.csv", [("yes", 0.9)] * 30, sites)
    parts = compare(one, one, ["site"]).parts
    assert [name for name in parts if name.startswith("site")] == ["site = other values"]


def test_numbers_are_compared_by_their_order(tmp_path: Path) -> None:
    ours = a_file(
        tmp_path / "a.csv", NUMBERS, [(1, 5.0, "", "", "scored", "v1"), (2, 9.0, "", "", "scored", "v1")]
    )
    theirs = a_file(
        tmp_path / "b.csv", NUMBERS, [(1, 5.0, "", "", "scored", "v2"), (2, 6.5, "", "", "scored", "v2")]
    )
    assert compare(ours, theirs) == ShadowAgreement(
        is_number=True,
        n_batches=1,
        total=ShadowPart(2, 1, 2.5),
        parts={"predicted 4 to 8": ShadowPart(1, 0, 0.0), "predicted 8 to 16": ShadowPart(1, 1, 2.5)},
    )


def test_batches_add_up() -> None:
    one = ShadowAgreement(n_batches=1, total=ShadowPart(2, 1), changes={"a -> b": 1}, skipped={"x": 1})
    assert one + one == ShadowAgreement(
        n_batches=2, total=ShadowPart(4, 2), changes={"a -> b": 2}, skipped={"x": 2}
    )
