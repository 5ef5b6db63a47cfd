"""The files that describe a scored batch: their names, their types, and how predictions are read."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path

PREDICTIONS = "predictions.csv"
COMPRESSED_PREDICTIONS = "predictions.csv.gz"
BATCH_PROFILE = "batch_profile.json"
DRIFT_REPORT = "drift_report.json"
DRIFT_PAGE = "drift_report.html"
DATA_QUALITY = "data_quality.json"
CONTENT_TYPES: Mapping[str, str] = {
    PREDICTIONS: "text/csv; charset=utf-8",
    COMPRESSED_PREDICTIONS: "application/gzip",  # not an encoding: it is downloaded as it is stored
    BATCH_PROFILE: "application/json",
    DRIFT_REPORT: "application/json",
    DRIFT_PAGE: "text/html; charset=utf-8",
    DATA_QUALITY: "application/json",
}


def is_compressed(path: Path) -> bool:
    """Return whether the name of a file of predictions says that it is compressed by gzip."""
    return path.suffix == ".gz"


def open_predictions(path: Path) -> gzip.GzipFile | BufferedReader:
    """Open a file of predictions, compressed or not, to read its text as UTF-8."""
    return gzip.open(path) if is_compressed(path) else path.open("rb")
