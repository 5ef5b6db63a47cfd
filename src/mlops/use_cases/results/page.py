"""The result page: GET and HEAD show what was noticed in a scored file, POST leads to one of its files.

Mail scanners open links, so that the page shows counts and columns only, never a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from mlops.approval.links import Claims, check_nonce, make_nonce
from mlops.approval.pages.http import (
    Request,
    Response,
    Routes,
    TooLateError,
    answer_request,
    leading_to,
    message,
    read_form,
)
from mlops.approval.signing_keys import Keys
from mlops.infrastructure.object_store import ObjectStore
from mlops.models.drift import DriftReport
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.scoring.batch import BatchManifest
from mlops.models.scoring.result import DataQuality
from mlops.pages.rendering import render
from mlops.pipelines.inference_pipeline import DATA_QUALITY, DRIFT_PAGE, DRIFT_REPORT, PREDICTIONS
from mlops.use_cases.results.links import read_result

_FIELDS = frozenset({"nonce", "file"})
_DOWNLOADS = {PREDICTIONS: "Download the predictions", DRIFT_PAGE: "Download the drift report"}
_WHAT_NOW = "Drop the file again to have it scored again."


@dataclass(frozen=True, slots=True)
class _Opened:
    """The batch that a link leads to."""

    claims: Claims
    folder: str
    manifest: BatchManifest


@dataclass(frozen=True, slots=True)
class ResultPage:
    """The page at `/results/{token}`.

    `address` returns where an object can be downloaded for a few minutes, under a file name.
    """

    objects: ObjectStore
    bucket: str
    keys: Keys
    address: Callable[[ObjectRef, str], str]
    now: Callable[[], datetime]

    def reply(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the HTTP response to an HTTP event."""
        routes: Routes = {"/results/{token}": {"GET": self._show, "HEAD": self._show, "POST": self._download}}
        return answer_request(event, routes)

    def _open(self, http_request: Request) -> _Opened:
        claims, key = read_result(http_request.token, keys=self.keys, now=self.now())
        if self.now().timestamp() >= claims.expires_at:
            raise TooLateError("This link has expired.", _WHAT_NOW)
        try:
            manifest = BatchManifest.from_json(self.objects.read(ObjectRef(self.bucket, key)))
        except ObjectNotFoundError as error:
            raise TooLateError("This result is not stored any more.", _WHAT_NOW) from error
        return _Opened(claims, claims.approval_id, manifest)

    def _show(self, http_request: Request) -> Response:
        opened = self._open(http_request)
        html = render(
            "result",
            summary=opened.manifest.summary,
            scored_at=opened.manifest.created_at,
            quality=DataQuality.from_json(self._read(opened, DATA_QUALITY)),
            drift=self._drift(opened),
            downloads={name: text for name, text in _DOWNLOADS.items() if name in opened.manifest.files},
            nonce=make_nonce(opened.claims, keys=self.keys, now=self.now()),
        )
        # the answer to the form leads to the object storage, which browsers count as a target of the form
        target = urlsplit(self._address(opened, PREDICTIONS))
        return leading_to(Response(200, html), f"{target.scheme}://{target.netloc}")

    def _download(self, http_request: Request) -> Response:
        opened = self._open(http_request)
        form = read_form(http_request, _FIELDS)
        check_nonce(form.get("nonce", ""), opened.claims, keys=self.keys, now=self.now())
        name = form.get("file", "")
        if name not in _DOWNLOADS or name not in opened.manifest.files:
            return message(400, "Not possible", "This result has no such file.")
        return Response(303, "", {"Location": self._address(opened, name)})

    def _drift(self, opened: _Opened) -> DriftReport | None:
        if DRIFT_REPORT not in opened.manifest.files:
            return None
        return DriftReport.from_json(self._read(opened, DRIFT_REPORT))

    def _read(self, opened: _Opened, name: str) -> bytes:
        return self.objects.read(self._ref(opened, name))

    def _address(self, opened: _Opened, name: str) -> str:
        batch = opened.folder.rpartition("/")[2]
        return self.address(self._ref(opened, name), f"{batch}-{name}")

    def _ref(self, opened: _Opened, name: str) -> ObjectRef:
        return ObjectRef(self.bucket, f"{opened.folder}/{name}", opened.manifest.files[name].version_id)
