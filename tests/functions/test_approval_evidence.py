"""What approvers are shown: everything that is known, in mail and page, with plots and model card."""

from __future__ import annotations

import base64
import json
import re

import pytest

from mlops.approval.attachments import CARD_LIMIT_BYTES, PLOTS_LIMIT_BYTES
from mlops.infrastructure.aws.clients import client
from mlops.models.evaluation import EvaluationDetails, SliceScore
from mlops.models.objects import ObjectRef
from mlops.models.registry import Candidate, DataFindings, TrainingJob
from mlops.models.training import DatasetChanges
from tests.functions.approval_stage import BASE_URL, GROUP, a_candidate, an_http_event

FOLDER = f"s3://artifacts/models/{GROUP}/v1.0.0"
CARD = "<!doctype html><title>Card</title><style>p{color:red}</style><p>the whole story"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def a_well_known_candidate(**changes) -> Candidate:
    changed = DatasetChanges("v0.9.0", 1800, 2000, "WARN", 0.14, ("age is 3.1 years higher on average.",))
    data = DataFindings("accept", 2000, (), changed, "cyd@example.com")
    job = TrainingJob("j", "arn:j", billable_seconds=312, estimated_cost_usd=0.25, actual_cost_usd=0.0123)
    return a_candidate(data=data, training_job=job, plots=("roc", "confusion", "lost"), **changes)


def keep(stage, name: str, content: bytes) -> None:
    stage.objects.write(ObjectRef.from_uri(f"{FOLDER}/{name}"), content, "text/plain")


@pytest.fixture
def link(stage) -> str:
    """The link to a version with everything beside it but one plot."""
    details = EvaluationDetails(slices=(SliceScore("region", "north", 120, 0.41, (0.3, 0.52)),))
    written = {
        "model_card.html": CARD.encode(),
        "evaluation_details.json": details.to_json().encode(),
        "plots/roc.svg": SVG,
        "plots/confusion.svg": b"<svg/>",
    }
    for name, content in written.items():
        keep(stage, name, content)
    stage.subscribe("ada@example.com", "cyd@example.com")
    stage.registry.register(GROUP, a_well_known_candidate(), evidence_root="s3://artifacts/models")
    return stage.ask(stage.registry.get_model(GROUP, "v1.0.0"))[0]


@pytest.mark.parametrize("place", ["mail", "page"])
@pytest.mark.parametrize(
    "message",
    [
        "Average precision",
        "+0.0200 to +0.1000",
        "is above the no-skill model",
        "2,000 rows, 1,800 in the data of v0.9.0; drift between the two: WARN (score 0.14, 0 = same).",
        "age is 3.1 years higher on average.",
        "region = north: 0.4100 (0.3000 to 0.5200) on 120 rows",
        "0.0123 USD, estimated 0.25 USD, 312 s billed",
        "cyd@example.com",
        "visits",
        "v1.0.0 answers scoring files",
    ],
)
def test_mail_and_page_tell_everything_that_is_known(stage, link, place, message):
    shown = (
        stage.emails()[0]["body"]
        if place == "mail"
        else re.sub("<[^>]+>", " ", stage.http_request(link)["body"])
    )
    assert " ".join(message.split()) in " ".join(shown.split())


def test_plots_are_images_in_which_nothing_can_run(stage, link):
    answer = stage.http_request(link)
    images = re.findall(r'<img alt="([^"]+)" src="data:image/svg\+xml;base64,([^"]+)">', answer["body"])
    assert [alt for alt, _ in images] == ["ROC curve", "Confusion matrix"]
    assert base64.b64decode(images[0][1]) == SVG
    assert "<script" not in answer["body"]
    assert "img-src data:;" in answer["headers"]["Content-Security-Policy"]


def test_plots_that_are_too_large_for_a_page_are_left_to_the_card(stage, link):
    keep(stage, "plots/roc.svg", b"x" * (PLOTS_LIMIT_BYTES + 1))
    assert re.findall(r'<img alt="([^"]+)"', stage.http_request(link)["body"]) == ["Confusion matrix"]


def visit_card(stage, link: str, method: str = "GET", **more) -> dict:
    token = link.removeprefix(f"{BASE_URL}/")
    return stage.page.reply(an_http_event(token, method, route="/approvals/{token}/card", **more))


def test_the_card_is_behind_the_same_link(stage, link):
    token = link.removeprefix(f"{BASE_URL}/")
    assert f'<a href="{token}/card">' in stage.http_request(link)["body"]
    answer = visit_card(stage, link)
    assert (answer["statusCode"], answer["body"]) == (200, CARD)
    policy = answer["headers"]["Content-Security-Policy"]
    assert policy.endswith("sandbox")
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert answer["headers"]["Cache-Control"] == "no-store"
    head = visit_card(stage, link, "HEAD")
    assert (head["statusCode"], head["body"]) == (200, "")


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS", "DELETE"])
def test_the_card_is_only_read(stage, link, method):
    before = stage.request_of("v1.0.0")
    answer = visit_card(stage, link, method, body="decision=approved&version=v1.0.0")
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, "GET, HEAD")
    assert stage.request_of("v1.0.0") == before


def test_the_card_follows_the_rules_of_the_link(stage, link):
    assert visit_card(stage, f"{BASE_URL}/nonsense")["statusCode"] == 400
    assert visit_card(stage, link[:-1] + ("A" if link[-1] != "A" else "B"))["statusCode"] == 401
    assert visit_card(stage, link, query="token=x")["statusCode"] == 400
    stage.clock.advance(hours=2)
    assert visit_card(stage, link)["statusCode"] == 410


def test_a_card_that_is_missing_or_too_large_says_where_to_look(stage, link):
    keep(stage, "model_card.html", b"x" * (CARD_LIMIT_BYTES + 1))
    answer = visit_card(stage, link)
    assert answer["statusCode"] == 404
    assert FOLDER in answer["body"]
    client("s3").delete_object(Bucket="artifacts", Key=f"models/{GROUP}/v1.0.0/model_card.html")
    assert visit_card(stage, link)["statusCode"] == 404


def test_the_largest_page_fits_into_an_answer_of_lambda(stage, link):
    keep(stage, "model_card.html", b'<p class="x">' * (CARD_LIMIT_BYTES // 13))
    keep(stage, "plots/roc.svg", b"x" * (PLOTS_LIMIT_BYTES - 10))
    for answer in (visit_card(stage, link), stage.http_request(link)):
        assert answer["statusCode"] == 200
        assert 2_000_000 < len(json.dumps(answer)) < 6_000_000


def test_a_version_without_anything_beside_it_is_shown_too(stage):
    stage.subscribe("ada@example.com")
    page = stage.http_request(stage.ask(stage.register())[0])["body"]
    assert "Dropped by</dt><dd>not known" in page
    assert "/card" not in page
    assert "<img" not in page
