"""A training job for the local SageMaker: its program and the request for it."""

import uuid
from typing import Any

TRAIN = """
import json, os, pathlib, sys, time
base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
settings = json.loads((base / "input/config/hyperparameters.json").read_text())
mode = settings.get("mode", "good")
if mode == "fail":
    (base / "output/failure").write_text("the target column is missing")
    sys.exit(3)
if mode == "sleep":
    time.sleep(60)
rows = (base / "input/data/training/train.csv").read_text().splitlines()
(base / "model/model.txt").write_text(f"{len(rows)} rows")
(base / "output/data/metrics.json").write_text(json.dumps({"rows": len(rows)}))
print("score=0.5")
print("score=0.75", flush=True)
"""


def job_request(sample: dict[str, str], **changes: Any) -> dict[str, Any]:
    bucket = sample["BucketName"]

    def channel(name: str, key: str) -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{key}"}
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}}

    return {
        "TrainingJobName": f"job-{uuid.uuid4().hex[:12]}",
        "RoleArn": sample["JobRoleArn"],
        "AlgorithmSpecification": {
            "TrainingImage": "local/python",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/train.py"],
            "MetricDefinitions": [{"Name": "validation:score", "Regex": "score=([0-9.]+)"}],
        },
        "HyperParameters": {"mode": "good"},
        "InputDataConfig": [channel("code", "code/"), channel("training", "data/train.csv")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }
