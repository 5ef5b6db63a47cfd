"""Serving code of a SageMaker endpoint: the functions that SageMaker's containers call for a model.

It is stored in the folder `code/` of a model archive, beside `packages.zip` with the library and with the
packages that the containers lack. Rows come as JSON, as in a request to the predict API, or as a CSV file
with a header; they are scored by the same code as everywhere.
"""

from __future__ import annotations

import os
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops.pipelines.inference_pipeline import InferencePipeline

_BAD_REQUEST = 400


class BadRequestError(ValueError):
    """A request that cannot be answered as it is; for servers that read the status from an error."""

    status_code = _BAD_REQUEST


def model_fn(model_dir: str) -> InferencePipeline:
    """Load the model of an unpacked archive; the variable MODEL_VERSION names its version."""
    make_importable(Path(model_dir) / "code" / "packages.zip")
    from mlops.use_cases.endpoints.serving import load  # noqa: PLC0415  importable now

    return load(Path(model_dir), os.environ.get("MODEL_VERSION", ""))


def input_fn(body: bytes | str, content_type: str) -> Any:
    """Read the rows of a request, or what is wrong with it."""
    from mlops.use_cases.endpoints.serving import read_rows  # noqa: PLC0415  importable since model_fn

    return read_rows(body.encode() if isinstance(body, str) else bytes(body), content_type)


def predict_fn(rows: Any, model: InferencePipeline) -> Any:
    """Score rows; what is wrong with a request is passed on."""
    from mlops.use_cases.endpoints.serving import predict  # noqa: PLC0415

    return predict(rows, model)


def output_fn(answer: Any, accept: str) -> Any:
    """Write the answer in the accepted form, and name that form."""
    from mlops.use_cases.endpoints.serving import Refusal, write_answer  # noqa: PLC0415

    written = answer if isinstance(answer, Refusal) else write_answer(answer, accept)
    return refuse(written.message) if isinstance(written, Refusal) else written


def refuse(message: str) -> Any:
    """Answer with status 400, in the way of the toolkit that serves the model."""
    try:
        from sagemaker_inference.errors import GenericInferenceToolkitError  # noqa: PLC0415
    except ImportError:
        pass
    else:
        raise GenericInferenceToolkitError(_BAD_REQUEST, message, "Bad Request")
    try:
        from sagemaker_containers.beta.framework.worker import Response  # noqa: PLC0415
    except ImportError:
        raise BadRequestError(message) from None
    return Response(message, status=_BAD_REQUEST, mimetype="text/plain")


@cache
def make_importable(packages: Path) -> None:
    """Unpack the packages into a temporary folder that Python imports from, the library before all others."""
    folder = tempfile.mkdtemp(prefix="packages-")
    with zipfile.ZipFile(packages) as archive:
        archive.extractall(folder)  # of an archive whose digest was compared with the registry
    sys.path.insert(0, folder)
