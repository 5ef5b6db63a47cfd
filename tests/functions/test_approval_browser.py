"""The pages in a real browser: for a scanner and for people, on a computer, a phone, and by keyboard."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from mlops.models.approval import RequestStatus
from mlops.models.objects import ObjectRef
from mlops.models.settings.group import GroupSettings
from tests.functions.approval_stage import GROUP, a_candidate, an_http_event
from tests.functions.keyboard_walk import check_keyboard_order, tab_to
from tests.web_server import Handler, serving

pytestmark = pytest.mark.browser

HOST = "https://api.example.com"
CARD = "<!doctype html><title>Card</title><style>p{color:rgb(1,2,3)}</style><p>The whole story.</p>"
PLOT = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200"><script>document.title="run"</script>'
    '<path d="M20 180 C60 40 160 30 280 20" fill="none" stroke="#0b5fa5" stroke-width="3"/></svg>'
)

COMPUTER, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture
def site(stage):
    """The page behind a web server on this machine, as API Gateway would serve it."""

    class Gateway(Handler):
        def reply(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            _, kind, token, *rest = path.split("/")
            route = "/".join(("", kind, "{token}", *rest))
            headers = dict(self.headers)
            event = an_http_event(
                token, self.command, query=query, body=body.decode(), headers=headers, route=route
            )
            answer = (stage.rollback_page if kind == "rollbacks" else stage.page).reply(event)
            self.send_response(answer["statusCode"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer["body"].encode())

    with serving(Gateway) as address:
        yield address


@pytest.fixture
def address(stage, site) -> str:
    """The page about v1.0.1, with plots and a card beside it, and a champion in service."""
    champion = stage.register(dataset_version="d0")
    stage.registry.approve_model(champion.model_group, champion.version)
    stage.registry.promote_model(champion.model_group, champion.version)
    for name, content in {
        "model_card.html": CARD,
        "plots/roc.svg": PLOT,
        "plots/confusion.svg": PLOT,
        "plots/importance.svg": PLOT,
    }.items():
        folder = "s3://artifacts/models/medication-adherence/v1.0.1"
        stage.objects.write(ObjectRef.from_uri(f"{folder}/{name}"), content.encode(), "text/plain")
    stage.subscribe("ada@example.com")
    candidate = a_candidate(plots=("roc", "confusion", "importance"))
    model = stage.registry.register(GROUP, candidate, evidence_root="s3://artifacts/models").model
    return stage.ask(model)[0].replace(HOST, site)


@pytest.fixture
def rollback_address(stage, site) -> str:
    """The page that leads from v1.0.1 back to v1.0.0."""
    return stage.offer_rollback("ada@example.com")[0].replace(HOST, site)


@pytest.fixture
def open_page(chromium):
    pages = []

    def open_at(address: str, viewport: dict[str, int] = COMPUTER):
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


def press_everything(page) -> None:
    """Do what a scanner does: follow links, press buttons, send forms, whatever is empty in them."""
    for link in page.get_by_role("link").all():
        page.request.get(page.evaluate("link => link.href", link.element_handle()))
    for button in page.get_by_role("button").all():
        button.click()
    page.evaluate("document.querySelectorAll('form').forEach(form => form.submit())")
    page.wait_for_load_state()


def test_v03_a_scanner_that_presses_what_it_finds_decides_nothing(stage, address, open_page):
    press_everything(open_page(address))
    request = stage.request_of("v1.0.1")
    assert (request.status, request.answers) == (RequestStatus.PENDING, ())
    assert stage.is_running()


@pytest.mark.parametrize(("viewport", "name"), [(COMPUTER, "desktop"), (PHONE, "phone")])
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


def test_settings_that_differ_are_whole_on_a_computer_and_on_a_phone(stage, site, open_page):
    long_name = "a_rather_long_name_of_a_column_that_identifies_the_patient_in_the_other_hospital"
    before = GroupSettings(target="off_treatment", id_columns=("patient_id",))
    after = replace(
        before, id_columns=("patient_id", long_name), hyperparameters={"n_estimators": 100, "max_depth": 10}
    )
    champion = stage.register(dataset_version="d0", settings=before)
    stage.registry.approve_model(champion.model_group, champion.version)
    stage.registry.promote_model(champion.model_group, champion.version)
    stage.subscribe("ada@example.com")
    address = stage.ask(stage.register(settings=after))[0].replace(HOST, site)
    for viewport in (COMPUTER, PHONE):
        page = open_page(address, viewport)
        table = page.locator("table.settings")
        assert table.locator("tbody tr").count() == 3
        right = max(
            cell.bounding_box()["x"] + cell.bounding_box()["width"] for cell in table.locator("td").all()
        )
        card = page.locator("section.card", has=table).bounding_box()
        assert right <= card["x"] + card["width"], "a value is behind the edge of its card"
        key = table.get_by_text("hyperparameters.n_estimators").bounding_box()
        assert key["height"] < 24, "a key is broken although there is room"
        picture(page, f"settings-{viewport['width']}")


def test_a_reason_as_long_as_its_field_takes_counts_with_all_its_lines(stage, address, open_page):
    page, reason = open_page(address), "line\n" * 199 + "lines"
    page.get_by_label("Reject v1.0.1").check()
    page.get_by_label("Reason").fill(reason)
    page.get_by_label("Type the version").fill("v1.0.1")
    page.get_by_role("button", name="Send decision").click()
    page.get_by_text("Rejected").wait_for()
    assert stage.request_of("v1.0.1").answers[0].reason == reason


def test_a_wrong_version_keeps_what_was_chosen_and_typed(stage, address, open_page):
    page = open_page(address)
    page.get_by_label("Reject v1.0.1").check()
    page.get_by_label("Reason").fill("worse for older people")
    page.get_by_label("Type the version").fill("v1.0.0")
    page.get_by_role("button", name="Send decision").click()
    assert "type the version exactly as v1.0.1" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Reason").input_value() == "worse for older people"
    assert page.get_by_label("Reject v1.0.1").is_checked()
    assert page.get_by_label("Type the version").input_value() == "v1.0.0"
    picture(page, "approval-problem")


def test_a_scanner_that_presses_what_it_finds_rolls_nothing_back(stage, rollback_address, open_page):
    press_everything(open_page(rollback_address))
    assert stage.registry.champion(GROUP).version == "v1.0.1"


@pytest.mark.parametrize(("viewport", "name"), [(COMPUTER, "desktop"), (PHONE, "phone")])
def test_a_person_puts_the_previous_champion_back(stage, rollback_address, open_page, viewport, name):
    page = open_page(rollback_address, viewport)
    picture(page, f"rollback-{name}")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.get_by_label("Reason").fill("It predicts nonsense since noon.")
    page.get_by_label("Type the version").fill("v1.0.0")
    page.get_by_role("button", name="Put v1.0.0 back into service").click()
    page.get_by_role("heading", name="v1.0.0 is in service again.").wait_for()
    picture(page, f"rolled-back-{name}")
    assert page.complaints == []
    assert stage.registry.champion(GROUP).version == "v1.0.0"


def test_plots_and_card_are_shown_and_nothing_in_them_runs(address, open_page):
    page = open_page(address)
    widths = page.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert len(widths) == 2  # the importances are numbers of the page
    assert min(widths) > 0
    assert page.title() == f"Approve {GROUP} v1.0.1?"
    page.get_by_role("link", name="Read the whole model card").click()
    page.get_by_text("The whole story.").wait_for()
    assert page.evaluate("getComputedStyle(document.querySelector('p')).color") == "rgb(1, 2, 3)"
    assert page.complaints == []


def test_the_second_approver_sees_that_one_of_two_is_in(stage, site, open_page):
    stage.subscribe("ada@example.com", "bob@example.com")
    ada, bob = stage.ask(stage.register(settings=stage.settings(required_approvals=2)))
    assert stage.post(ada, reason="Good on every slice.")["statusCode"] == 303
    page = open_page(bob.replace(HOST, site))
    picture(page, "approval-second")
    page.get_by_role("heading", name="1 of 2 approvals are in").wait_for()
    page.get_by_label("Approve v1.0.0").check()
    page.get_by_label("Type the version").fill("v1.0.0")
    page.get_by_role("button", name="Send decision").click()
    page.get_by_text("By link of ada@example.com, link of bob@example.com").wait_for()


@pytest.mark.parametrize("kind", ["approval", "rollback"])
def test_a_screen_reader_finds_its_way(request, open_page, kind):
    page = open_page(request.getfixturevalue("address" if kind == "approval" else "rollback_address"))
    assert page.evaluate("document.documentElement.lang") == "en"
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert set(levels) == {1, 2}
    assert page.get_by_role("main").count() == 1
    fields = page.locator("input:not([type=hidden]), textarea").all()
    unnamed = [field for field in fields if not field.evaluate("field => field.labels.length")]
    assert unnamed == []
    assert page.locator("img:not([alt]), table:not(:has(caption))").count() == 0


def test_the_form_is_filled_in_by_keyboard_in_the_order_in_which_it_is_read(stage, address, open_page):
    page = open_page(address)
    page.get_by_role("link", name="Read the whole model card").focus()
    page.keyboard.press("Tab")  # the link to the decision, which stays in view
    for key in ("Tab", "Space", "Tab"):
        page.keyboard.press(key)
    page.keyboard.type("better")
    page.keyboard.press("Tab")
    page.keyboard.type("v1.0.1")
    for key in ("Tab", "Enter"):
        page.keyboard.press(key)
    page.get_by_text("By link of ada@example.com").wait_for()
    assert stage.request_of("v1.0.1").answers[0].reason == "better"


@pytest.mark.parametrize("viewport", [COMPUTER, PHONE], ids=["computer", "phone"])
@pytest.mark.parametrize("kind", ["approval", "rollback"])
def test_every_control_is_reached_by_tab_in_the_order_of_the_page_and_is_seen(
    request, open_page, kind, viewport
):
    page = open_page(
        request.getfixturevalue("address" if kind == "approval" else "rollback_address"), viewport
    )
    assert {stop.name for stop in check_keyboard_order(page)} >= {"reason", "version"}


def test_keys_alone_reject_with_a_mistake_on_the_way(stage, address, open_page):
    page = open_page(address)
    tab_to(page, "decision")
    page.keyboard.press("ArrowDown")  # approve comes first
    tab_to(page, "version")
    page.keyboard.type("v9.9.9")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    check_keyboard_order(page)
    page.get_by_role("alert").focus()
    tab_to(page, "reason")
    page.keyboard.type("worse for older people")
    tab_to(page, "version")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("v1.0.1")
    page.keyboard.press("Enter")
    page.get_by_text("Rejected").first.wait_for()
    assert stage.request_of("v1.0.1").answers[0].reason == "worse for older people"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["approval", "rollback"])
def test_every_text_has_enough_contrast(request, open_page, kind, scheme):
    page = open_page(request.getfixturevalue("address" if kind == "approval" else "rollback_address"))
    page.emulate_media(color_scheme=scheme)
    picture(page, f"{kind}-{scheme}")
    faint = page.evaluate(CONTRASTS)
    assert faint == []


# Every element with a text of its own whose contrast is below the 4.5 of WCAG AA.
CONTRASTS = """() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const hasText = e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  return [...document.querySelectorAll('main *')].filter(hasText).map(e => {
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    return [e.tagName, e.textContent.slice(0, 40), (a + 0.05) / (b + 0.05)];
  }).filter(([, , contrast]) => contrast < 4.5);
}"""
