"""What calls to AWS raise is known, so that a command can say it in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.infrastructure.aws.clients import aws_errors, error_code
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.models.errors import ApprovalError, MlopsError
from mlops.models.objects import ObjectRef


def test_an_upload_into_a_bucket_that_does_not_exist_is_an_error_of_aws(aws: None, tmp_path: Path) -> None:
    path = tmp_path / "registry.jsonl.gz"
    path.write_bytes(b"items")
    with pytest.raises(aws_errors(), match="NoSuchBucket"):
        S3Objects().upload(path, ObjectRef("absent", "tables/registry.jsonl.gz"), "application/gzip")


def test_a_fault_is_named_by_the_code_of_aws_else_by_its_class(aws: None, tmp_path: Path) -> None:
    with pytest.raises(aws_errors()) as missing:
        S3Objects().read(ObjectRef("absent", "model.toml"))
    assert error_code(missing.value) == "NoSuchBucket"
    with pytest.raises(aws_errors(MlopsError)) as refused:
        raise ApprovalError("The request is closed.")
    assert error_code(refused.value) == "ApprovalError"
