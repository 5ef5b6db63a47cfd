"""Columns of texts: their words are learned from, on request only, and scored the same wherever they come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from mlops.dataset.features.texts import words_of
from mlops.dataset.validation.validate import validate
from mlops.models.errors import SettingsError, TrainingError
from mlops.models.settings.group import GroupSettings
from mlops.models.training import TrainingResult
from mlops.pipelines.compiled.texts import N_BUCKETS, hash_texts
from mlops.pipelines.fitting.text_encoder import TextEncoder
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline

FILLERS = [f"filler{number}" for number in range(150)]


def notes(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Notes of many words; whether one of three words is among them decides the outcome."""
    rng = np.random.default_rng(seed)
    is_ill = rng.random(rows) < 0.5
    texts = []
    for ill in is_ill:
        words = list(rng.choice(FILLERS, 9))
        words[rng.integers(9)] = rng.choice(["fever", "cough", "pain"] if ill else ["well", "fine"])
        texts.append(" ".join(words).capitalize() + ".")
    return pd.DataFrame(
        {
            "age": rng.normal(50, 10, rows).round(1),
            "note": pd.Series(texts).mask(rng.random(rows) < 0.05),
            "outcome": np.where(is_ill ^ (rng.random(rows) < 0.05), "yes", "no"),
        }
    )


def train(frame: pd.DataFrame, folder: Path, **config) -> TrainingResult:
    frame.to_csv(folder / "train.csv", index=False)
    merged = {"target": "outcome", "algorithm": "LogisticRegression", "C": 1.0, **config}
    return TrainingPipeline(merged).execute(folder / "train.csv", folder / "model")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return train(notes(), tmp_path_factory.mktemp("texts"), text_columns=["note"])


def test_a_text_is_learned_from_on_request_only(trained: TrainingResult, tmp_path: Path):
    assert trained.features == ("age", "note", "note_words")
    assert trained.metrics.roc_auc > 0.85
    plain = train(notes(), tmp_path)
    assert plain.features == ("age",)
    assert plain.dropped_columns["note"] in ("free text", "looks like an id: texts that almost never repeat")


def test_pieces_and_single_rows_get_the_predictions_of_the_whole_file(trained: TrainingResult):
    pipeline = InferencePipeline(trained.model_path)
    frame = notes(40, seed=3).drop(columns="outcome").astype(object)
    rows = frame.where(frame.notna(), None).to_dict("records")
    rows[5]["note"] = "Words, that no training row had: FEVER!"
    whole = [row["probability_yes"] for row in pipeline.predict(rows).documents()]
    assert whole == [pipeline.predict([row]).documents()[0]["probability_yes"] for row in rows]
    halves = [*pipeline.predict(rows[:21]).documents(), *pipeline.predict(rows[21:]).documents()]
    assert whole == [row["probability_yes"] for row in halves]


def test_reasons_and_drift_are_in_columns_of_the_file(trained: TrainingResult, tmp_path: Path):
    rows = notes(300, seed=4).drop(columns="outcome")
    rows["note"] = rows["note"].str.slice(0, 20)
    rows.to_csv(tmp_path / "score.csv", index=False)
    settings = GroupSettings.from_config({"output": {"reasons": 3}})
    scored = InferencePipeline(trained.model_path).execute(
        tmp_path / "score.csv", tmp_path / "scored", settings=settings
    )
    written = pd.read_csv(tmp_path / "scored" / "predictions.csv")
    named = {part.split()[0] for text in written["reasons"].dropna() for part in text.split("; ")}
    assert named <= {"age", "note"}
    assert "note" not in scored.drift_report.features
    assert "note_words" in scored.drift_report.features_with_drift


def test_no_word_of_a_text_is_stored(trained: TrainingResult):
    for path in trained.model_path.rglob("*"):
        assert path.is_dir() or b"filler1" not in path.read_bytes(), path.name


def test_weights_are_those_of_scikit_learn_where_no_two_words_share_a_bucket():
    texts = ["Fever and cough, fever again", "well and fine", "", "fine"]
    hashed = hash_texts(texts)
    n_texts = np.bincount(hashed.bucket, minlength=N_BUCKETS)
    idf = np.log((1 + len(texts)) / (1 + n_texts)) + 1
    peer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit_transform(texts)
    ours = [sorted(hashed.tf_idf(idf)[hashed.text == text]) for text in range(len(texts))]
    for row, weights in zip(peer, ours, strict=True):
        np.testing.assert_allclose(weights, sorted(row.data), rtol=1e-12)


def test_no_training_row_sees_its_own_target():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"note": [f"only{row} here{row}" for row in range(200)]})
    y = rng.integers(0, 2, 200)
    encoder = TextEncoder()
    cross_fitted = encoder.fit_transform(frame, y)[:, 0]
    assert abs(np.corrcoef(cross_fitted, y)[0, 1]) < 0.25
    assert np.corrcoef(encoder.transform(frame)[:, 0], y)[0, 1] > 0.95


def test_a_long_text_is_read_up_to_a_limit():
    assert len(words_of("word " * 100_000)) == 500


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["remark"], "names the column 'remark', which the file does not have"),
        (["age"], "names 'age', which is a column of kind number, not of texts"),
        (["outcome"], "names 'outcome', which is the target column"),
    ],
)
def test_what_holds_no_texts_is_refused_at_training_and_at_intake(columns, words: str, tmp_path: Path):
    with pytest.raises(TrainingError, match=words):
        train(notes(100), tmp_path, text_columns=columns)
    report = validate(tmp_path / "train.csv", GroupSettings(target="outcome", text_columns=tuple(columns)))
    (finding,) = [one for one in report.findings if one.rule_id == "text_columns"]
    assert finding.severity == "reject"
    assert columns[0] in finding.message


def test_the_setting_is_a_list_of_names():
    with pytest.raises(SettingsError, match=r"text_colums.*Did you mean 'text_columns'"):
        GroupSettings.from_toml('text_colums = ["note"]')
    with pytest.raises(SettingsError, match="text_columns must be a column name or a list"):
        GroupSettings.from_toml("text_columns = 3")
    assert not {"text_columns", "monotonic"} & GroupSettings().to_dict().keys()
