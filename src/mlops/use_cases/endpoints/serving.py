"""Requests to a SageMaker endpoint: rows in JSON or CSV, and predictions in either."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mlops.models.errors import DatasetError, RequestError, RequestTooLargeError
from mlops.models.scoring.answer import PredictionRequest
from mlops.models.scoring.scored_table import ScoredTable
from mlops.pages.spreadsheet import plain_csv_text
from mlops.pipelines.described_model import UNREGISTERED
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.use_cases.predict.request_body import read_body

_JSON, _CSV = "application/json", "text/csv"
_ANY = ("", "*/*")


@dataclass(frozen=True, slots=True)
class CsvFile:
    """The content of a CSV file with a header."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered, and what to send."""

    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Scored rows, and the version that scored them."""

    model_version: str
    table: ScoredTable


type Rows = PredictionRequest | CsvFile | Refusal


def load(directory: Path, version: str) -> InferencePipeline:
    """Load the model of a directory; an empty version is one that was never registered.

    Raises
    ------
    ArtifactError
        If the model cannot be loaded.
    """
    return InferencePipeline(directory, model_version=version or UNREGISTERED)


def read_rows(body: bytes, content_type: str) -> Rows:
    """Read the body of a request by its content type."""
    media_type = _media_type(content_type)
    if media_type == _CSV:
        return CsvFile(body)
    if media_type != _JSON:
        return Refusal(f"The content type {content_type!r} cannot be read: send {_JSON} or {_CSV}.")
    try:
        return read_body(body)
    except (RequestError, RequestTooLargeError) as error:
        return Refusal(str(error))


def predict(rows: Rows, model: InferencePipeline) -> Answer | Refusal:
    """Score rows by the code that scores files and requests."""
    if isinstance(rows, Refusal):
        return rows
    try:
        if isinstance(rows, PredictionRequest):
            return Answer(model.version, model.predict(rows.rows, reasons=rows.reasons))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "request.csv"
            path.write_bytes(rows.content)
            return Answer(model.version, model.predict(path))
    except (DatasetError, RequestError) as error:
        return Refusal(str(error))


def write_answer(answer: Answer, accept: str) -> tuple[str, str] | Refusal:
    """Return the text of an answer and its content type: the first that is accepted, by default JSON.

    JSON has the fields of the predict API, CSV the columns of a predictions file.
    """
    for accepted in (accept or "").split(","):
        media_type = _media_type(accepted)
        if media_type == _CSV:
            return plain_csv_text([answer.table.columns.names, *answer.table.rows]), _CSV
        if media_type == _JSON or media_type in _ANY:
            document = {"model_version": answer.model_version, "predictions": answer.table.documents()}
            return json.dumps(document), _JSON
    return Refusal(f"An answer as {accept!r} is not possible: accept {_JSON} or {_CSV}.")


def _media_type(header: str | None) -> str:
    return (header or "").partition(";")[0].strip().lower()
