"""`mlops validate s3://BUCKET/KEY`: an object is checked like a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from mlops.cli.main import main
from mlops.infrastructure.aws.clients import client

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "drug-spend" / "train.csv"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client.cache_clear()
        boto3.client("s3").create_bucket(Bucket="data")
        yield "data"
    client.cache_clear()


def test_an_object_has_the_report_of_its_file(bucket: str, capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("s3").upload_file(str(EXAMPLE), bucket, "g/training/train.csv")
    assert main(["validate", str(EXAMPLE)]) == 0
    of_the_file = capsys.readouterr().out
    assert main(["validate", "s3://data/g/training/train.csv"]) == 0
    assert capsys.readouterr().out == of_the_file
    assert main(["validate", "s3://data/g/training/train.csv", "--format", "junit"]) == 0
    assert 'name="s3://data/g/training/train.csv"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("s3://data/absent.csv", "absent.csv"),
        ("s3://absent/a.csv", "bucket"),
        ("s3://data/g/training/", "is a folder in S3"),
        ("s3:///a.csv", "Name one file as s3://BUCKET/KEY"),
    ],
)
def test_an_address_without_a_file_is_one_sentence(
    address: str, sentence: str, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", address]) == 2
    message = capsys.readouterr().err
    assert sentence in message
    assert message.count("\n") == 1
