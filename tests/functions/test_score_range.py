"""The function that scores one range, on moto."""

from __future__ import annotations

import csv
import io


def test_score_range_writes_the_rows_of_its_range_under_their_numbers_in_the_file(ranges_stage):
    listed, ranges = ranges_stage.list()
    second = ranges[1]
    answer = ranges_stage.call("score_range", {"request": listed["request"], "range": second})
    assert answer == {"index": 1}
    folder = listed["request"]["key"].removesuffix("request.json")
    rows = list(csv.DictReader(io.StringIO(ranges_stage.read(f"{folder}ranges/00001.csv").decode())))
    first = second["n_rows_before"] + 1
    assert [int(row["row"]) for row in rows] == list(range(first, ranges[2]["n_rows_before"] + 1))


def test_score_range_stores_equal_bytes_when_it_is_repeated(ranges_stage):
    listed, ranges = ranges_stage.list()
    for _ in range(2):
        ranges_stage.call("score_range", {"request": listed["request"], "range": ranges[0]})
    digests: dict[str, set[str]] = {}
    for version in ranges_stage.versions("parts/"):
        if version["Key"].endswith(".cost.json"):  # what it cost this time
            continue
        digests.setdefault(version["Key"], set()).add(version["ETag"])
    assert all(len(etags) == 1 for etags in digests.values())
