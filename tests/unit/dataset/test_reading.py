"""Reading a table as the pipelines see it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO
from itertools import accumulate
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops.dataset.form.inspection import BLOCK_BYTES, read_blocks
from mlops.dataset.validation.reading import read_pieces, read_table
from mlops.dataset.validation.validate import validate
from mlops.models.errors import DatasetError
from mlops.models.settings.group import GroupSettings


def table(tmp_path: Path, text: str | bytes, **options: object) -> pd.DataFrame:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_table(path, **options)  # type: ignore[arg-type]


def test_types_follow_the_values(tmp_path: Path) -> None:
    frame = table(tmp_path, "n,x,word,zip,gap\n1,1.5, a ,007,3\n2,2.5,b,012,\n")
    assert frame.dtypes.map(str).to_dict() == {
        "n": "int64", "x": "float64", "word": "object", "zip": "object", "gap": "float64",
    }  # fmt: skip
    assert frame["word"].tolist() == ["a", "b"]
    assert frame["zip"].tolist() == ["007", "012"]
    assert np.isnan(frame["gap"][1])


def test_missing_values_are_nan_in_text_too(tmp_path: Path) -> None:
    frame = table(tmp_path, "a,b\nx,1\nNA,2\n,n/a\nnone,4\n")
    assert frame["a"].isna().tolist() == [False, True, True, False]
    assert frame["b"].tolist()[0] == 1.0
    assert np.isnan(frame["b"][2])


def test_ids_stay_text(tmp_path: Path) -> None:
    frame = table(tmp_path, "key,x\n9007199254740993,1\n9007199254740992,2\n")
    assert frame["key"].tolist() == ["9007199254740993", "9007199254740992"]
    named = table(tmp_path, "key,x\n1,1\n2,2\n", settings=GroupSettings(id_columns=("key",)))
    assert named["key"].tolist() == ["1", "2"]


def test_a_schema_decides_over_the_values(tmp_path: Path) -> None:
    frame = table(tmp_path, "code,age\n1,30\n2,old\n", schema={"code": "category", "age": "number"})
    assert frame["code"].tolist() == ["1", "2"]
    assert frame["age"].tolist()[0] == 30.0
    assert np.isnan(frame["age"][1])


def test_semicolons_and_decimal_commas_are_read(tmp_path: Path) -> None:
    frame = table(tmp_path, "a;b\n1,5;x\n2,25;y\n")
    assert frame["a"].tolist() == [1.5, 2.25]


def test_nameless_and_blank_parts_are_left_out(tmp_path: Path) -> None:
    frame = table(tmp_path, "a,b,\n1,x,\n,,\n2,y,\n")
    assert frame.columns.tolist() == ["a", "b"]
    assert len(frame) == 2


@pytest.mark.parametrize("content", [b"", b"PAR1" + bytes(50), b"a,b\n1,2,3\n", b"a,b\n1,\xc3"])
def test_what_is_not_a_table_is_refused_with_its_reason(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DatasetError, match=r"t\.csv: "):
        table(tmp_path, content)


WORDS = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp", "Cf")), min_size=1, max_size=8
)


@pytest.mark.property
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.lists(
        st.tuples(WORDS.map("w{}".format), st.floats(-1e9, 1e9), st.sampled_from(['a "b"', "c,d", "e\nf"])),
        min_size=2,
        max_size=30,
    )
)
def test_what_the_csv_module_writes_is_read_back(tmp_path: Path, cells: list[tuple[str, float, str]]) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["word", "number", "quoted"])
    writer.writerows((word, repr(number), quoted) for word, number, quoted in cells)
    frame = table(tmp_path, stream.getvalue())
    assert frame["word"].tolist() == [word for word, _, _ in cells]
    assert frame["quoted"].tolist() == [quoted for _, _, quoted in cells]
    assert np.allclose(frame["number"].to_numpy(float), [number for _, number, _ in cells], rtol=1e-12)


@pytest.mark.property
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300) | st.text('ab1,;"\n\r.- \t', max_size=200).map(str.encode))
def test_no_bytes_crash_the_reader_or_the_validator(tmp_path: Path, content: bytes) -> None:
    from mlops.dataset.validation.validate import validate

    path = tmp_path / "fuzz.csv"
    path.write_bytes(content)
    assert validate(path).verdict in ("accept", "warn", "reject")
    with suppress(DatasetError):
        assert len(read_table(path).columns)


@pytest.mark.parametrize("second", ["1.5", "word"])
def test_two_columns_of_one_name_are_refused_and_not_mixed(tmp_path: Path, second: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text("id,age,age\n" + "".join(f"{n},{n},{second}\n" for n in range(60)))
    with pytest.raises(DatasetError, match="Duplicate column names"):
        read_table(path)


def test_a_table_of_too_many_columns_is_refused_in_the_words_of_the_validation(tmp_path: Path) -> None:
    rows = [",".join(f"c{i}" for i in range(5_001)), *([",".join(["1"] * 5_001)] * 60)]
    with pytest.raises(DatasetError) as caught:
        table(tmp_path, "\n".join(rows) + "\n")
    (refusal,) = validate(tmp_path / "t.csv", purpose="inference").of_severity("reject")
    assert str(caught.value) == f"t.csv: {refusal.message}"
    assert "5,001 columns; the limit is 5,000" in refusal.message


@pytest.mark.parametrize("start", [0, 10, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 4 * BLOCK_BYTES])
def test_blocks_from_within_a_file_end_where_those_of_the_whole_file_do(start: int) -> None:
    content = bytes(6 * BLOCK_BYTES + 7)
    whole = ends_of(read_blocks(BytesIO(content)), 0)
    assert whole == [BLOCK_BYTES, 3 * BLOCK_BYTES, 5 * BLOCK_BYTES, len(content)]
    part = ends_of(read_blocks(BytesIO(content[start:]), start), start)
    assert part == [end for end in whole if end > start]


def ends_of(blocks: Iterable[bytes], start: int) -> list[int]:
    return list(accumulate(map(len, blocks), initial=start))[1:]


def test_a_number_is_the_same_for_every_reader(tmp_path: Path) -> None:
    # more than one block, so that the first one, whose columns are not known yet, is not all
    exact = np.random.default_rng(0).normal(size=70_000)
    path = tmp_path / "exact.csv"
    path.write_text("x\n" + "\n".join(map(repr, exact.tolist())) + "\n")
    assert path.stat().st_size > BLOCK_BYTES
    whole, pieces = read_table(path), pd.concat(list(read_pieces(path)))
    np.testing.assert_array_equal(whole["x"].to_numpy(), exact)
    np.testing.assert_array_equal(pieces["x"].to_numpy(), exact)
