"""The page of a scored file: opening it shows counts and changes nothing, its form leads to a download."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from functions.show_result import app
from mlops.context.dependencies import Dependencies
from mlops.infrastructure.aws.clients import client
from mlops.links.link import LIFETIMES, Purpose
from mlops.links.page_links import PageLinks
from mlops.links.signer import LinkSigner
from mlops.links.signing_keys import SigningKeys
from mlops.models.objects import ObjectRef
from mlops.models.scoring.batch import BatchFile, BatchManifest, BatchSummary
from mlops.models.scoring.result import DataQuality
from tests.functions.approval_stage import an_http_event
from tests.functions.keyboard_walk import check_keyboard_order, tab_to

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOLDER = "predictions/claims/2026-03-01/march-0d7e4a1b93c2"
SECRET = {"current": "k" * 64}
PREDICTIONS = "row,prediction\n1,Ada Lovelace\n"


class Page:
    """The function over a bucket with one batch; `at` is the time of the next visit."""

    def __init__(self, name: str = "predictions.csv") -> None:
        self.s3 = client("s3")
        self.s3.create_bucket(Bucket="artifacts")
        self.s3.put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
        secret = client("secretsmanager").create_secret(Name="results", SecretString=json.dumps(SECRET))
        variables = {"ARTIFACT_BUCKET_NAME": "artifacts", "RESULT_SIGNING_SECRET_ARN": secret["ARN"]}
        self.at = NOW
        self.dependencies = Dependencies("show_result", variables, now=lambda: self.at)
        self.summary = BatchSummary(
            "claims", "0d7e4a1b93c25f680d7e4a1b93c25f68", 3, f"s3://artifacts/{FOLDER}/{name}",
            file_name="March <2026>.csv", model_version="v1.0.0",
            row_statuses={"scored": 2, "unreadable:age": 1},
        )  # fmt: skip
        quality = DataQuality(
            3, findings=("1 cell of 'age' could not be read.",), row_statuses=self.summary.row_statuses
        )
        files = {name: PREDICTIONS, "data_quality.json": quality.to_json()}
        stored = {name: BatchFile("", self.put(name, content)) for name, content in files.items()}
        manifest = BatchManifest(
            self.summary, "v1.0.0", "", ObjectRef("data", "claims/inference/March <2026>.csv"), NOW, stored,
            engine="map",
        )  # fmt: skip
        self.put("manifest.json", manifest.to_json())

    def put(self, name: str, content: str) -> str:
        return self.s3.put_object(Bucket="artifacts", Key=f"{FOLDER}/{name}", Body=content.encode())[
            "VersionId"
        ]

    def token(self, key: str = SECRET["current"], folder: str = FOLDER) -> str:
        signer = LinkSigner(SigningKeys((key.encode(),)))
        links = PageLinks("https://api.example.com/results/", signer, Purpose.RESULT)
        return links.make(self.summary.group, folder, NOW).rpartition("/")[2]

    def visit(self, token: str, method: str = "GET", **form: str) -> dict:
        event = an_http_event(token, method, body=urlencode(form), route="/results/{token}")
        context = SimpleNamespace(
            function_name="f", memory_limit_in_mb=1, invoked_function_arn="a", aws_request_id="r"
        )
        return app.handler(event, context, dependencies=self.dependencies)

    def nonce(self, token: str) -> str:
        return re.search(r'name="nonce" value="([^"]*)"', self.visit(token)["body"])[1]


@pytest.fixture
def page(aws) -> Page:
    return Page()


def test_the_page_names_the_file_and_shows_counts_but_no_row(page: Page):
    answer = page.visit(page.token())
    assert answer["statusCode"] == 200
    for words in (
        "March &lt;2026&gt;.csv",
        "claims",
        "v1.0.0",
        "unreadable:age",
        "in ranges of rows",
        "could not be read",
    ):
        assert words in answer["body"]
    assert "Ada" not in answer["body"]
    assert "amazonaws.com/" not in answer["body"], "what a mail scanner fetches contains no way to the rows"
    assert page.visit(page.token(), "HEAD")["body"] == ""


def test_the_form_leads_for_five_minutes_to_the_version_that_belongs_to_the_batch(page: Page):
    token = page.token()
    belonging = page.s3.head_object(Bucket="artifacts", Key=f"{FOLDER}/predictions.csv")["VersionId"]
    page.put("predictions.csv", "another version")
    answer = page.visit(token, "POST", nonce=page.nonce(token), file="predictions.csv")
    assert answer["statusCode"] == 303
    address = urlsplit(answer["headers"]["Location"])
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert address.path.endswith(f"{FOLDER}/predictions.csv")
    assert (query["X-Amz-Expires"], query["versionId"]) == ("300", belonging)
    assert query["response-content-disposition"] == (
        'attachment; filename="march-0d7e4a1b93c2-predictions.csv"'
    )
    policy = page.visit(token)["headers"]["Content-Security-Policy"]
    assert f"form-action 'self' {address.scheme}://{address.netloc};" in policy


def test_compressed_predictions_are_downloaded_under_their_name(aws):
    page = Page("predictions.csv.gz")
    token = page.token()
    answers = {
        name: page.visit(token, "POST", nonce=page.nonce(token), file=name)
        for name in ("predictions.csv.gz", "predictions.csv")
    }
    assert {name: answer["statusCode"] for name, answer in answers.items()} == {
        "predictions.csv.gz": 303,
        "predictions.csv": 400,
    }
    address = urlsplit(answers["predictions.csv.gz"]["headers"]["Location"])
    assert address.path.endswith(f"{FOLDER}/predictions.csv.gz")
    assert (
        "march-0d7e4a1b93c2-predictions.csv.gz" in parse_qs(address.query)["response-content-disposition"][0]
    )


def test_a_form_without_the_nonce_of_its_page_leads_nowhere(page: Page):
    token = page.token()
    assert page.visit(token, "POST", file="predictions.csv")["statusCode"] == 401
    other = page.token(folder=FOLDER.replace("march", "april"))
    nonce = page.nonce(token)
    assert page.visit(other, "POST", nonce=nonce, file="predictions.csv")["statusCode"] in (401, 410)
    page.at = NOW + timedelta(hours=5)
    assert page.visit(token, "POST", nonce=nonce, file="predictions.csv")["statusCode"] == 401


@pytest.mark.parametrize("name", ["manifest.json", "data_quality.json", "../request.json", ""])
def test_only_the_files_for_people_can_be_downloaded(page: Page, name: str):
    token = page.token()
    answer = page.visit(token, "POST", nonce=page.nonce(token), file=name)
    assert answer["statusCode"] == 400
    assert "Location" not in answer["headers"]


def test_links_of_other_keys_old_links_and_removed_results_show_nothing(page: Page):
    assert page.visit(page.token(key="x" * 64))["statusCode"] == 401
    assert page.visit("nonsense")["statusCode"] == 400
    removed = page.visit(page.token(folder=FOLDER + "0"))
    assert (removed["statusCode"], "not stored any more" in removed["body"]) == (410, True)


def test_an_expired_link_says_so_and_what_to_do(page: Page):
    page.at = NOW + LIFETIMES[Purpose.RESULT]
    answer = page.visit(page.token())
    assert (answer["statusCode"], "March" in answer["body"]) == (410, False)
    for words in (
        "This link to predictions has expired",
        "valid until 2026-03-31",
        "predictions/claims/",
        "drop the file again",
    ):
        assert words in answer["body"]


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_keys_alone_download_the_predictions(page: Page, chromium, width: int):
    host, tab = "https://api.example.com", chromium.new_page(viewport={"width": width, "height": 740})
    sent: list[dict] = []

    def answer(route, request) -> None:
        form = dict(parse_qsl(request.post_data or ""))
        response = page.visit(request.url.rpartition("/")[2], request.method, **form)
        if request.method == "POST":
            sent.append(response)
            response = {"statusCode": 200, "headers": {}, "body": "saved"}
        route.fulfill(status=response["statusCode"], headers=response["headers"], body=response["body"])

    tab.route(f"{host}/**", answer)
    tab.goto(f"{host}/results/{page.token()}")
    check_keyboard_order(tab)
    tab.reload()
    tab_to(tab, "file")
    tab.keyboard.press("Enter")
    tab.get_by_text("saved").wait_for()
    tab.close()
    assert sent[0]["statusCode"] == 303
    assert urlsplit(sent[0]["headers"]["Location"]).path.endswith(f"{FOLDER}/predictions.csv")
