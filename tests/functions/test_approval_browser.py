"""The approval page in a real browser: what a scanner does, what a person does, on a desk and on a phone."""

from __future__ import annotations

import os
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mlops.models.approval import RequestStatus
from tests.functions.approval_stage import BASE_URL, an_http_event

pytestmark = pytest.mark.browser

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
        except Error:
            pytest.skip("no Chromium on this machine")
        yield browser
        browser.close()


@pytest.fixture
def site(stage):
    """The page behind a web server on this machine, as API Gateway would serve it."""

    class Gateway(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _answer(self, body: str) -> None:
            path, _, query = self.path.partition("?")
            event = an_http_event(
                path.rsplit("/", 1)[-1], self.command, query=query, body=body, headers=dict(self.headers)
            )
            answer = stage.page.reply(event)
            self.send_response(answer["statusCode"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer["body"].encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/approvals"
    server.shutdown()
    server.server_close()


@pytest.fixture
def address(stage, site) -> str:
    champion = stage.register(dataset_version="d0")
    stage.registry.approve_model(champion.model_group, champion.version)
    stage.registry.promote_model(champion.model_group, champion.version)
    stage.subscribe("ada@example.com")
    return stage.ask(stage.register())[0].replace(BASE_URL, site)


@pytest.fixture
def open_page(chromium):
    pages = []

    def open_at(address: str, viewport: dict[str, int] = DESK):
        page = chromium.new_page(viewport=viewport)
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.goto(address)
        pages.append(page)
        return page

    yield open_at
    for page in pages:
        page.close()


def picture(page, name: str) -> None:
    """Keep a screenshot when a folder for them is named."""
    folder = os.environ.get("MLOPS_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_v03_a_scanner_that_presses_what_it_finds_decides_nothing(stage, address, open_page):
    page = open_page(address)
    for button in page.get_by_role("button").all():
        button.click()
    page.evaluate("document.querySelectorAll('form').forEach(form => form.submit())")
    page.wait_for_load_state()
    request = stage.request_of("v1.0.1")
    assert (request.status, request.answers) == (RequestStatus.PENDING, ())
    assert stage.is_running()


@pytest.mark.parametrize(("viewport", "name"), [(DESK, "desk"), (PHONE, "phone")])
def test_a_person_reads_chooses_types_and_approves(stage, address, open_page, viewport, name):
    page = open_page(address, viewport)
    picture(page, f"approval-{name}")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.evaluate("getComputedStyle(document.querySelector('.decide')).borderTopWidth") == "2px"
    page.get_by_label("Approve v1.0.1").check()
    page.get_by_label("Type the version").fill("v1.0.1")
    page.get_by_role("button", name="Send decision").click()
    page.get_by_text("By link of ada@example.com").wait_for()
    picture(page, f"approved-{name}")
    assert page.complaints == []
    assert stage.request_of("v1.0.1").status is RequestStatus.DECIDED
    assert stage.execution()["status"] == "SUCCEEDED"


def test_a_wrong_version_keeps_the_reason_that_was_typed(stage, address, open_page):
    page = open_page(address)
    page.get_by_label("Reject v1.0.1").check()
    page.get_by_label("Reason").fill("worse for older people")
    page.get_by_label("Type the version").fill("v1.0.0")
    page.get_by_role("button", name="Send decision").click()
    assert "type the version exactly as v1.0.1" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Reason").input_value() == "worse for older people"
    assert not page.get_by_label("Reject v1.0.1").is_checked()
    picture(page, "approval-problem")
