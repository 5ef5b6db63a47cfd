"""Greets by HTTP, and stores what S3 events contain."""

import json
import os
from pathlib import Path

import boto3


def handler(event, context):
    """Answer a request, or store the object of an event."""
    if "detail" in event:
        uploaded, s3 = event["detail"]["object"], boto3.client("s3")
        key, version = uploaded["key"], uploaded["version-id"]
        body = s3.get_object(Bucket=os.environ["BUCKET"], Key=key, VersionId=version)["Body"].read()
        item = {"pk": {"S": key}, "version": {"S": version}, "size": {"N": str(len(body))}}
        boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item=item)
        datum = {"MetricName": "Objects", "Value": 1.0}
        boto3.client("cloudwatch").put_metric_data(Namespace="Sample", MetricData=[datum])
        return {}
    word = Path(os.environ["WORDS_FILE"]).read_text(encoding="utf-8").strip()
    greeting = {
        "greeting": f"{word}, {event['pathParameters']['name']}",
        "method": event["requestContext"]["http"]["method"],
    }
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(greeting)}
