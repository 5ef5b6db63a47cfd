"""What every process of a proof starts with: clients that were made once are cheap to make again."""

import boto3

boto3.setup_default_session(region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
for service in (
    "cloudwatch", "dynamodb", "events", "kms", "s3", "sagemaker", "secretsmanager", "sns", "stepfunctions"
):  # fmt: skip
    boto3.client(service)
