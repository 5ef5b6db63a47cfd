"""A file whose drift is looked at is read once, in pieces: its profile is that of all rows at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.cli.files.profiled_file import ComparedFile
from mlops.dataset.validation.reading import read_table
from mlops.models.errors import DatasetError
from mlops.models.settings.group import GroupSettings
from mlops.monitoring.profiles.baseline import build_baseline
from mlops.monitoring.profiles.batch import profile_batch

ROWS = 45_000  # three blocks of the reader
NOTE = "a note of some length that fills the blocks of the reader sooner"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new.csv"


def a_frame(late: object = 2.5) -> pd.DataFrame:
    """Return rows of which the last thousand hold `late` among numbers, and another level."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"dose": rng.normal(50, 5, ROWS).round(2), "site": rng.choice(["a", "b"], ROWS)})
    frame = frame.assign(note=NOTE).astype({"dose": object})
    frame.loc[ROWS - 1_000 :, ["dose", "site"]] = [late, "c"]
    return frame


@pytest.mark.parametrize("late", [2.5, "", "n/a", "1,234.5"], ids=str)
def test_a_profile_of_pieces_is_that_of_the_whole_file(late: object, path: Path) -> None:
    a_frame(late).to_csv(path, index=False)
    whole = read_table(path, {"site": "category"})
    baseline = build_baseline(whole.iloc[:20_000].drop(columns="note"))
    file = ComparedFile(path, baseline, GroupSettings(), None)
    found = file.profile(500, np.random.default_rng(0))
    assert found.profile == profile_batch(whole, baseline)
    pd.testing.assert_frame_equal(found.rows, whole.iloc[found.rows.index].astype(found.rows.dtypes))
    assert (len(found.rows), found.rows.index.is_monotonic_increasing) == (500, True)
    thirds = np.bincount(found.rows.index // (ROWS // 3), minlength=3)
    assert thirds.min() > 120
    pd.testing.assert_frame_equal(file.draw(500, np.random.default_rng(0)), found.rows)


def test_a_file_without_rows_has_a_profile_of_none_and_one_that_is_no_table_is_refused(path: Path) -> None:
    baseline = build_baseline(a_frame().iloc[:1_000, :2].astype({"dose": float}))
    path.write_text("dose,site,note\n")

    def found():
        return ComparedFile(path, baseline, GroupSettings(), None).profile(500, np.random.default_rng(0))

    assert (found().profile.n_rows, len(found().rows)) == (0, 0)
    path.write_bytes(b"%PDF-1.7\n")
    with pytest.raises(DatasetError):
        found()
