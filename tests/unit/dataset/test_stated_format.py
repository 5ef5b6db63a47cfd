"""What `[format]` of `model.toml` states is obeyed wherever a file is read, and refused where it is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops.dataset.validation.parts.joining import joined_mark, write_joined
from mlops.dataset.validation.parts.validate_parts import validate_parts
from mlops.dataset.validation.reading import load_table, read_pieces, read_table
from mlops.dataset.validation.validate import validate
from mlops.models.errors import DatasetError
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline

NAMES = ("age", "dose", "city", "outcome")
N_ROWS = 120


def records() -> list[tuple[str, ...]]:
    rng = np.random.default_rng(3)
    cities = ("Gdańsk", "Łódź", "Kraków")
    return [
        (
            str(rng.integers(20, 80)),
            f"{rng.uniform(1, 9):.2f}",
            cities[i % 3],
            "yes" if rng.random() < 0.5 else "no",
        )
        for i in range(N_ROWS)
    ]


def text(delimiter: str = ",", *, header: bool = True, quote: str = "", above: str = "") -> str:
    lines = [NAMES, *records()] if header else records()
    return above + "".join(delimiter.join(f"{quote}{cell}{quote}" for cell in line) + "\n" for line in lines)


# how the file is written, and what states it
WRITTEN: Mapping[str, tuple[bytes, dict[str, Any]]] = {
    "delimiter": (text("!").encode(), {"delim": "!"}),
    "spaces between": (text(" ").encode(), {"delim": " "}),
    "control characters between": (text("\x01").encode(), {"delim": "\x01"}),
    "single quotes": (text(quote="'").encode(), {"quote": "'"}),
    "an encoding of Poland": (text().encode("iso-8859-2"), {"encoding": "iso-8859-2"}),
    "an encoding of two bytes": (text().encode("utf-16-le"), {"encoding": "utf-16-le"}),
    "no header": (text(header=False).encode(), {"header": False, "names": list(NAMES)}),
    "names alone": (text(header=False).encode(), {"names": list(NAMES)}),
    "lines above": (text(above="a,b,c,d\n1,2,3,4\n").encode(), {"skip": 2}),
    "lines above of another width": (text(above="made by hand\n\n").encode(), {"skip": 2}),
    "lines above and no header": (
        text(header=False, above="x\n").encode(),
        {"skip": 1, "names": list(NAMES)},
    ),
    "comments": (text(above="% by hand\n% in, May, and, June\n").encode(), {"comment": "%"}),
    "decimal commas": (text(";").replace(".", ",").encode(), {"delim": ";", "decimal_separator": ","}),
    "everything": (
        text("|", header=False, quote="'", above="!\n").replace("1", "1", 1).encode("cp1250"),
        {"delim": "|", "quote": "'", "encoding": "cp1250", "skip": 1, "header": False, "names": list(NAMES)},
    ),
}


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    return path


def settings_of(form: Mapping[str, Any]) -> GroupSettings:
    return GroupSettings.from_config({"target": form.get("names", NAMES)[-1], "format": dict(form)})


@pytest.mark.parametrize("case", WRITTEN)
@pytest.mark.parametrize("purpose", ["training", "inference"])
def test_a_stated_form_is_obeyed_without_a_word(tmp_path: Path, case: str, purpose: str) -> None:
    content, form = WRITTEN[case]
    path = written(tmp_path, content)
    report = validate(path, settings_of(form), purpose=purpose)  # type: ignore[arg-type]
    assert (report.verdict, report.findings, report.n_rows) == ("accept", (), N_ROWS)
    assert tuple(column.name for column in report.columns) == NAMES


@pytest.mark.parametrize("case", WRITTEN)
def test_every_reader_obeys_a_stated_form(tmp_path: Path, case: str) -> None:
    content, form = WRITTEN[case]
    path, settings = written(tmp_path, content), settings_of(form)
    expected = [cells[2] for cells in records()]
    assert read_table(path, settings=settings)["city"].tolist() == expected
    assert [city for piece in read_pieces(path, settings=settings) for city in piece["city"]] == expected
    table = load_table(path, settings)
    assert table["city"].tolist() == expected
    assert table.columns["dose"].kind == "number"


@pytest.mark.parametrize("purpose", ["training", "inference"])
def test_a_purpose_may_have_a_form_of_its_own(tmp_path: Path, purpose: str) -> None:
    other = {"training": "inference", "inference": "training"}[purpose]
    form = {"delim": ";", other: {"delim": "|"}}
    path = written(tmp_path, text(";").encode())
    assert validate(path, settings_of(form), purpose=purpose).verdict == "accept"  # type: ignore[arg-type]
    assert validate(path, settings_of(form), purpose=other).verdict == "reject"  # type: ignore[arg-type]


CONTRADICTED: Mapping[str, tuple[bytes, dict[str, Any], str]] = {
    "another delimiter": (text(";").encode(), {"delim": "|"}, r'delim = "\|", but a semicolon'),
    "too few names": (
        text(header=False).encode(),
        {"names": ["a", "b", "c"]},
        "names 3 columns, but the rows have 4",
    ),
    "too many names": (text().encode(), {"header": True, "names": [*NAMES, "e"]}, "names 5 columns"),
    "a header": (text().encode(), {"header": False}, "header = false, but line 1 holds column names"),
    "nothing below": (text().encode(), {"skip": 5_000}, "skip = 5000, but the file has no more lines"),
    "UTF-8": (text().encode(), {"encoding": "cp1250"}, 'encoding = "cp1250", but the text is UTF-8'),
    "no UTF-8": (text().encode("cp1250"), {"encoding": "utf-8"}, 'encoding = "utf-8", but line 2'),
    "no Shift JIS": (text().encode("cp1250"), {"encoding": "shift_jis"}, "but line 2 is not in it"),
    "other quotes": (text(quote='"').encode(), {"quote": "'"}, "double quotes"),
    "a comment that is not skipped": (text(above="made by hand\n").encode(), {"skip": 0}, "not a header"),
}


@pytest.mark.parametrize("case", CONTRADICTED)
def test_a_file_that_contradicts_what_is_stated_is_refused_in_a_sentence(tmp_path: Path, case: str) -> None:
    content, form, sentence = CONTRADICTED[case]
    path = written(tmp_path, content)
    [refusal] = validate(path, settings_of(form)).of_severity("reject")
    with pytest.raises(AssertionError, match=sentence):
        raise AssertionError(refusal.message)
    if case != "other quotes":  # they leave a table that can be read
        with pytest.raises(DatasetError):
            read_table(path, settings=settings_of(form))
    lines = tomllib.loads(str(refusal.accept_with))["format"]
    assert validate(path, settings_of({**form, **lines})).verdict != "reject"


def test_a_byte_order_mark_is_believed(tmp_path: Path) -> None:
    path = written(tmp_path, text().encode("utf-8-sig"))
    report = validate(path, settings_of({"encoding": "cp1250"}))
    assert [(f.rule_id, f.severity) for f in report.findings] == [("encoding", "warn")]
    assert validate(path, settings_of({"encoding": "utf-8"})).findings == ()


PARTS: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "delimiter": ("!", "utf-8", {"delim": "!"}),
    "encoding": (",", "iso-8859-2", {"encoding": "iso-8859-2"}),
    "lines above": (",", "utf-8", {"skip": 1}),
    "no header": (",", "utf-8", {"header": False, "names": list(NAMES)}),
}


@pytest.mark.parametrize("case", PARTS)
def test_the_parts_of_a_table_are_read_as_stated(tmp_path: Path, case: str) -> None:
    delimiter, encoding, form = PARTS[case]
    lines = text(delimiter, header=False).splitlines(keepends=True)
    above = ["made by hand\n"] if "skip" in form else []
    above += [] if "names" in form else [delimiter.join(NAMES) + "\n"]
    parts = []
    for number in range(3):
        parts.append(tmp_path / f"part-{number}.csv")
        parts[-1].write_bytes("".join([*above, *lines[40 * number : 40 * number + 40]]).encode(encoding))
    report = validate_parts(parts, settings_of(form))
    assert (report.verdict, report.findings, report.n_rows) == ("accept", (), N_ROWS)


def test_parts_of_a_stated_encoding_are_joined_to_a_file_that_is_read_with_the_same_settings(
    tmp_path: Path,
) -> None:
    settings = settings_of({"encoding": "iso-8859-2"})
    joined = tmp_path / "joined.csv"
    write_joined([text().encode()], joined, mark=joined_mark(settings.format.of("training")))
    assert load_table(joined, settings)["city"].tolist() == [cells[2] for cells in records()]


@pytest.mark.parametrize("case", ["delimiter", "single quotes", "an encoding of Poland", "names alone"])
def test_a_model_is_trained_on_and_scores_files_of_a_stated_form(tmp_path: Path, case: str) -> None:
    content, form = WRITTEN[case]
    path = written(tmp_path, content)
    config = {"target": "outcome", "algorithm": "LogisticRegression", "format": form}
    TrainingPipeline(config).execute(path, tmp_path / "model")
    result = InferencePipeline(tmp_path / "model").execute(path, tmp_path / "scores")
    assert result.n_rows == N_ROWS
    assert result.data_quality.findings == ()
