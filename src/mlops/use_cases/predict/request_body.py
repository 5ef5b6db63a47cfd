"""The body of a request to predict: JSON, read strictly and within limits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from mlops.models.errors import RequestError, RequestTooLargeError
from mlops.models.scoring.answer import MAX_REQUEST_BYTES, MAX_ROW_BYTES, MAX_ROWS, PredictionRequest

_FORM = (
    'Send {"rows": [{"column": value, ...}, ...]}, "reasons": true for reasons, and "record": false for '
    "what-if questions."
)


def read_body(body: bytes) -> PredictionRequest:
    """Read the body of a request.

    Raises
    ------
    RequestError
        If it is not JSON of that form, or has no rows or too many.
    RequestTooLargeError
        If it, or one of its rows, has too many bytes.
    """
    if len(body) > MAX_REQUEST_BYTES:
        raise RequestTooLargeError(
            f"The body has {len(body):,} bytes, and at most {MAX_REQUEST_BYTES:,} are possible. Send fewer "
            "rows at once, or drop a file."
        )
    try:
        document = json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
        if b"\\u" in body:  # half of a character may be escaped, which no text can hold
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeError as error:
        raise RequestError(f"The body is not text in UTF-8. {_FORM}") from error
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The body is not JSON: {error}. {_FORM}") from error
    if not isinstance(document, dict) or not {"rows"} <= set(document) <= {"rows", "reasons", "record"}:
        raise RequestError(f"The body does not have the form of a request. {_FORM}")
    reasons, record = document.get("reasons", False), document.get("record", True)
    return checked_request(document["rows"], reasons=reasons, record=record)


def checked_request(rows: Any, *, reasons: Any, record: Any = True) -> PredictionRequest:
    """Return the request with these rows, wherever they come from.

    Raises
    ------
    RequestError
        If they are not from 1 to 1,000 objects, or `reasons` or `record` is not a truth value.
    RequestTooLargeError
        If a row has too many bytes.
    """
    if not isinstance(rows, list | tuple) or type(reasons) is not bool or type(record) is not bool:
        raise RequestError(f"The body does not have the form of a request. {_FORM}")
    if not 1 <= len(rows) <= MAX_ROWS:
        raise RequestError(
            f"The request has {len(rows):,} rows; from 1 to {MAX_ROWS:,} are possible. Send the others in "
            "further requests, or drop a file."
        )
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            raise RequestError(f"Row {number} is not an object with a value for each column. {_FORM}")
    _refuse_long_rows(rows)
    return PredictionRequest(tuple(rows), reasons, record)


def _refuse_long_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    for number, row in enumerate(rows, start=1):
        # as it is written into a message of the queue
        size = len(json.dumps("".join([value for value in row.values() if type(value) is str]))) - 2
        if size > MAX_ROW_BYTES:
            raise RequestTooLargeError(
                f"Row {number} has {size:,} bytes of text, and at most {MAX_ROW_BYTES:,} are possible. Leave "
                "out columns that the model does not need, or drop a file."
            )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has {repeated!r} twice")
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number, null is a missing value")
