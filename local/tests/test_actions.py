"""What a person does on the pages, and what another site cannot do with them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from local import LocalCloud
from local.cloud import link_to
from local.errors import LocalCloudError
from local.pages.actions import is_foreign, read_form
from local.pages.index import work_of
from local.tests.resources import make_function, make_role

BOUNDARY = "----form"
OWN = {"host": "127.0.0.1:4566"}


def a_form(content: bytes, file_name: str = "my data.csv") -> bytes:
    """A form as browsers send it."""
    disposition = 'Content-Disposition: form-data; name="{}"'
    parts = [
        (disposition.format("group"), b"claims"),
        (disposition.format("folder"), b"inference"),
        (f'{disposition.format("file")}; filename="{file_name}"\r\nContent-Type: text/csv', content),
    ]
    lines = [b"--%s\r\n%s\r\n\r\n%s\r\n" % (BOUNDARY.encode(), h.encode(), c) for h, c in parts]
    return b"".join(lines) + b"--%s--\r\n" % BOUNDARY.encode()


def test_an_execution_is_named_by_what_it_does() -> None:
    arn = (
        "arn:aws:states:us-east-1:000000000000:stateMachine:mlops-local-TrainModelStateMachine-E5B97BE1AB989"
    )
    assert work_of(arn) == "Train model"


@pytest.mark.parametrize(
    "content", [b"a,b\r\n1,2\r\n", b"", b"\r\n\r\n--", bytes(range(256)), b"--other\r\n"]
)
def test_a_form_is_read_byte_by_byte(content: bytes) -> None:
    upload = read_form(f"multipart/form-data; boundary={BOUNDARY}", a_form(content))
    assert upload.content == content
    assert upload.name == "my data.csv"
    assert upload.fields == {"group": "claims", "folder": "inference"}


@pytest.mark.parametrize(
    ("sent", "name"),
    [("a%22b.csv", 'a"b.csv'), ("C:\\data\\x.csv", "x.csv"), ("../../x.csv", "x.csv"), ("é.csv", "é.csv")],
)
def test_a_file_has_its_own_name_without_folders(sent: str, name: str) -> None:
    assert read_form(f"multipart/form-data; boundary={BOUNDARY}", a_form(b"", sent)).name == name


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_another_body_than_a_form_is_refused(kind: str) -> None:
    with pytest.raises(LocalCloudError, match="form of the overview page"):
        read_form(kind, b"x")


@pytest.mark.parametrize(
    ("method", "headers", "refused"),
    [
        ("GET", OWN, False),
        ("POST", OWN, False),  # a program
        ("POST", {**OWN, "origin": "http://127.0.0.1:4566"}, False),
        ("POST", {"host": "localhost:4566", "origin": "http://localhost:4566"}, False),
        ("POST", {**OWN, "origin": "http://127.0.0.1:8000"}, True),
        ("POST", {**OWN, "origin": "https://127.0.0.1:4566"}, True),
        ("POST", {**OWN, "origin": "https://example.com"}, True),
        ("POST", {**OWN, "origin": "null"}, True),
        ("GET", {"host": "rebound.example.com:4566"}, True),
        ("POST", {"host": "rebound.example.com:4566", "origin": "http://rebound.example.com:4566"}, True),
        ("GET", {}, True),
    ],
)
def test_only_pages_of_this_machine_may_change_something(
    method: str, headers: dict[str, str], *, refused: bool
) -> None:
    assert is_foreign(method, headers) is refused


@pytest.mark.parametrize("path", ["drop", "check-drift", "confirm-all"])
def test_a_form_of_another_site_is_refused(cloud: LocalCloud, path: str) -> None:
    headers = {"Origin": "https://example.com"}
    answer = cloud.request("POST", f"{cloud.endpoint}/_local/{path}", b"", headers)
    assert answer.status == 403
    assert "Only the pages of this machine" in answer.text


def test_without_the_application_an_action_says_what_to_do(cloud: LocalCloud) -> None:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = cloud.request("POST", f"{cloud.endpoint}/_local/drop", a_form(b"x"), headers)
    assert answer.status == 400
    assert "make up" in answer.text


def test_every_object_opens_and_a_stored_page_cannot_run_or_reach_anything(
    cloud: LocalCloud, sample: dict[str, str]
) -> None:
    bucket, client = sample["BucketName"], cloud.client("s3")
    for name, content in (
        ("report.html", b"<script>alert(1)</script>"),
        ("x y<b>.csv", b"a,b\n"),
        ("m.bin", b"\0"),
    ):
        client.put_object(Bucket=bucket, Key=f"pages/{name}", Body=content)

    def get(key: str) -> Any:
        return cloud.request("GET", f"{cloud.endpoint}{link_to(f's3://{bucket}/{key}')}")

    report = get("pages/report.html")
    assert report.body == b"<script>alert(1)</script>"
    assert report.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert get("pages/x y<b>.csv").headers["content-type"].startswith("text/plain")
    assert get("pages/m.bin").headers["content-disposition"].startswith("attachment")
    folder = get("pages/").text
    assert "x y&lt;b&gt;.csv" in folder
    assert link_to(f"s3://{bucket}/pages/report.html") in folder
    assert get("pages").text == folder
    assert get("absent").status == 404
    assert cloud.request("GET", f"{cloud.endpoint}{link_to('s3://absent-bucket/x')}").status == 404
    assert cloud.request("GET", f"{cloud.endpoint}{link_to('file:///etc/passwd')}").status == 404


def test_a_custom_widget_is_the_answer_of_its_function(cloud: LocalCloud) -> None:
    program = (
        "def handler(event, context):\n"
        "    if event['widget'] == 'broken': raise ValueError('no table')\n"
        "    if event['widget'] == 'note': return {'markdown': '**only** <i>text</i>'}\n"
        "    return f\"<table><td>{event['widgetContext']['title']}</td></table>\"\n"
    )
    arn = make_function(cloud, make_role(cloud), "draws-widgets", program)
    widgets = [
        {"type": "custom", "properties": {"title": name, "endpoint": arn, "params": {"widget": name}}}
        for name in ("table", "note", "broken")
    ]
    body = json.dumps({"widgets": widgets})
    cloud.client("cloudwatch").put_dashboard(DashboardName="custom", DashboardBody=body)
    board = cloud.request("GET", f"{cloud.endpoint}/_local/dashboard?name=custom").text
    assert "<table><td>table</td></table>" in board
    assert "<b>only</b> &lt;i&gt;text&lt;/i&gt;" in board
    assert "The function of this widget failed: no table" in board


def test_the_creation_of_a_stack_is_an_event(cloud: LocalCloud, eventually: Callable[..., Any]) -> None:
    sqs, events = cloud.client("sqs"), cloud.client("events")
    queue = sqs.create_queue(QueueName="stack-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {
        "source": ["aws.cloudformation"],
        "detail-type": ["CloudFormation Stack Status Change"],
        "detail": {"status-details": {"status": ["CREATE_COMPLETE"]}},
    }
    events.put_rule(Name="created", EventPattern=json.dumps(pattern))
    transformer = {"InputPathsMap": {"id": "$.detail.stack-id"}, "InputTemplate": '{"stack": "<id>"}'}
    events.put_targets(Rule="created", Targets=[{"Id": "q", "Arn": arn, "InputTransformer": transformer}])
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    made = cloud.client("cloudformation").create_stack(StackName="tiny", TemplateBody=json.dumps(template))
    received = eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    assert [json.loads(message["Body"]) for message in received] == [{"stack": made["StackId"]}]
