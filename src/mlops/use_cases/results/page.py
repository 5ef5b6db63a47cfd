"""The result page: GET and HEAD show what was noticed in a scored file, POST leads to one of its files.

Mail scanners open links, so that the page shows counts and columns only, never a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from mlops.infrastructure.object_store import ObjectStore
from mlops.links.link import Link, Purpose
from mlops.links.signer import LinkSigner
from mlops.models.drift.report import DriftReport
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.scoring.batch import MANIFEST, BatchManifest
from mlops.models.scoring.batch_files import DATA_QUALITY, DRIFT_PAGE, DRIFT_REPORT
from mlops.models.scoring.result import DataQuality
from mlops.monitoring.report.report_text import changes_of_reasons
from mlops.pages.http import (
    GoneError,
    Request,
    Response,
    Routes,
    answer_request,
    check_expiry,
    leading_to,
    message,
    read_form,
)
from mlops.pages.rendering import render
from mlops.pipelines.jobs.prices import LIST_PRICES

_FIELDS = frozenset({"nonce", "file"})
_ENGINES = {
    "lambda": "at once by one function",
    "map": "in ranges of rows by functions side by side",
    "job": "at once in a SageMaker job",
}
_WHAT_NOW = "To have it scored again, drop the file again."


@dataclass(frozen=True, slots=True)
class _Opened:
    """The batch that a link leads to."""

    link: Link
    manifest: BatchManifest

    @property
    def predictions(self) -> str:
        """The name of the file of predictions."""
        return self.manifest.summary.predictions_name

    @property
    def downloads(self) -> dict[str, str]:
        """The files that can be downloaded, and what their buttons say."""
        texts = {self.predictions: "Download the predictions", DRIFT_PAGE: "Download the drift report"}
        return {name: text for name, text in texts.items() if name in self.manifest.files}


@dataclass(frozen=True, slots=True)
class ResultPage:
    """The page at `/results/{token}`.

    `address` returns where an object can be downloaded for a few minutes, under a file name.
    """

    objects: ObjectStore
    bucket: str
    signer: LinkSigner
    address: Callable[[ObjectRef, str], str]
    now: Callable[[], datetime]

    def reply(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the HTTP response to an HTTP event."""
        routes: Routes = {"/results/{token}": {"GET": self._show, "HEAD": self._show, "POST": self._download}}
        return answer_request(event, routes)

    def _open(self, http_request: Request) -> _Opened:
        link = self.signer.read(http_request.token, Purpose.RESULT, now=self.now())
        kept = f"The artifact bucket may still contain them, in predictions/{link.group}/."
        check_expiry(link, self.now(), "This link to predictions has expired", kept, _WHAT_NOW)
        try:
            content = self.objects.read(ObjectRef(self.bucket, f"{link.subject}/{MANIFEST}"))
        except ObjectNotFoundError as error:
            raise GoneError("These predictions are not stored any more", _WHAT_NOW) from error
        return _Opened(link, BatchManifest.from_json(content))

    def _show(self, http_request: Request) -> Response:
        opened = self._open(http_request)
        drift = self._drift(opened)
        html = render(
            "result",
            summary=opened.manifest.summary,
            prices=LIST_PRICES,
            scored_at=opened.manifest.created_at,
            engine=_ENGINES.get(opened.manifest.engine or "", ""),
            quality=DataQuality.from_json(self._read(opened, DATA_QUALITY)),
            drift=drift,
            reasons_changed=changes_of_reasons(drift) if drift else (),
            downloads=opened.downloads,
            nonce=self.signer.make_nonce(opened.link, now=self.now()),
        )
        # the answer to the form leads to the object storage, which browsers count as a target of the form
        target = urlsplit(self._address(opened, opened.predictions))
        return leading_to(Response(200, html), f"{target.scheme}://{target.netloc}")

    def _download(self, http_request: Request) -> Response:
        opened = self._open(http_request)
        form = read_form(http_request, _FIELDS)
        self.signer.check_nonce(form.get("nonce", ""), opened.link, now=self.now())
        name = form.get("file", "")
        if name not in opened.downloads:
            return message(400, "Not possible", "This result has no such file.")
        return Response(303, "", {"Location": self._address(opened, name)})

    def _drift(self, opened: _Opened) -> DriftReport | None:
        if DRIFT_REPORT not in opened.manifest.files:
            return None
        return DriftReport.from_json(self._read(opened, DRIFT_REPORT))

    def _read(self, opened: _Opened, name: str) -> bytes:
        return self.objects.read(self._ref(opened, name))

    def _address(self, opened: _Opened, name: str) -> str:
        batch = opened.link.subject.rpartition("/")[2]
        return self.address(self._ref(opened, name), f"{batch}-{name}")

    def _ref(self, opened: _Opened, name: str) -> ObjectRef:
        return ObjectRef(self.bucket, f"{opened.link.subject}/{name}", opened.manifest.files[name].version_id)
