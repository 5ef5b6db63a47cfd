"""Documents of a version in the artifact bucket that the page shows: model card, plots, slices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mlops.infrastructure.object_store import ObjectStore
from mlops.models.approval import Evidence
from mlops.models.errors import ObjectNotFoundError
from mlops.models.evaluation import EvaluationDetails
from mlops.models.objects import ObjectRef
from mlops.models.registry import ModelMetadata
from mlops.pipelines.artifact_files import EVALUATION_DETAILS, MODEL_CARD, PLOTS_FOLDER

# Lambda answers with at most 6 MB, in which a page of text grows by its escapes and a plot by base64.
CARD_LIMIT_BYTES = 4_500_000
PLOTS_LIMIT_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot as an SVG file."""

    name: str
    svg: bytes


def read_details(model: ModelMetadata, objects: ObjectStore) -> EvaluationDetails | None:
    """Return the curves and slices of a version; None when they were not stored."""
    if not _is_in_bucket(model.evidence_uri):
        return None
    content = _read(f"{model.evidence_uri}/{EVALUATION_DETAILS}", objects)
    return EvaluationDetails.from_json(content) if content else None


def read_plots(evidence: Evidence, objects: ObjectStore) -> Iterator[Plot]:
    """Yield the plots that exist, in order, as long as they fit on a page."""
    room = PLOTS_LIMIT_BYTES
    for name in evidence.plots if _is_in_bucket(evidence.evidence_uri) else ():
        svg = _read(f"{evidence.evidence_uri}/{PLOTS_FOLDER}/{name}.svg", objects, limit_bytes=room)
        if svg:
            room -= len(svg)
            yield Plot(name, svg)


def read_card(evidence: Evidence, objects: ObjectStore) -> bytes | None:
    """Return the model card; None when it does not exist, or is larger than a page can be."""
    if not _is_in_bucket(evidence.evidence_uri):
        return None
    return _read(f"{evidence.evidence_uri}/{MODEL_CARD}", objects, limit_bytes=CARD_LIMIT_BYTES)


def _is_in_bucket(uri: str | None) -> bool:
    return uri is not None and uri.startswith("s3://")


def _read(uri: str, objects: ObjectStore, *, limit_bytes: int | None = None) -> bytes | None:
    ref = ObjectRef.from_uri(uri)
    try:
        if limit_bytes is not None and objects.head(ref).size_bytes > limit_bytes:
            return None
        return objects.read(ref)
    except ObjectNotFoundError:
        return None
