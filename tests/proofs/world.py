"""What the functions of the path reach for, on a local cloud, and how they are run there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud import LocalCloud
from tests.conftest import create_table
from tests.policies import POLICY_VARIABLES
from tests.proofs.processes import fresh_processes
from tests.proofs.step import Fault, run

KILLED = -9


_ROLE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class World:
    """Buckets, tables, topics and a machine that waits for an answer, and the variables that name them."""

    cloud: LocalCloud
    variables: Mapping[str, str]
    queue: str


def build_world(cloud: LocalCloud, folder: Path) -> World:
    """Make everything that the functions of the path reach for."""
    source = folder / "source"
    (source / "mlops").mkdir(parents=True)
    for name in ("train.py", "inference.py", "mlops/__init__.py"):
        (source / name).write_text("print('train')")
    client = cloud.client
    for bucket in ("data", "artifacts"):
        client("s3").create_bucket(Bucket=bucket)
        client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    create_table("registry", "pk", "sk", dynamodb=client("dynamodb"))
    create_table("policies", "pk", "sk", dynamodb=client("dynamodb"))
    create_table("approvals", "pk", "sk", index=("OpenIndex", "open_kind"), dynamodb=client("dynamodb"))
    topics = {name: client("sns").create_topic(Name=name)["TopicArn"] for name in ("approval", "news")}
    for topic in topics.values():
        client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="ada@example.com")
    cloud.confirm_subscriptions()
    queue = client("sqs").create_queue(QueueName="tokens")["QueueUrl"]
    secret = client("secretsmanager").create_secret(Name="k", SecretString=json.dumps({"current": "k" * 64}))
    machine = _waiting_machine(cloud, queue)
    return World(
        cloud,
        {
            **cloud.variables(),
            **POLICY_VARIABLES,
            "ALERT_BASE_URL": "https://api.example.com/alerts",
            "APPROVAL_BASE_URL": "https://api.example.com/approvals",
            "APPROVAL_SIGNING_SECRET_ARN": secret["ARN"],
            "APPROVAL_TABLE_NAME": "approvals",
            "APPROVAL_TOPIC_ARN": topics["approval"],
            "ARTIFACT_BUCKET_NAME": "artifacts",
            "DATA_BUCKET_NAME": "data",
            "EVENT_BUS_NAME": "default",
            "METRICS_NAMESPACE": "proofs",
            "NOTIFICATION_TOPIC_ARN": topics["news"],
            "POWERTOOLS_LOG_LEVEL": "CRITICAL",
            "ENDPOINT_NAME_PREFIX": "mlops-proof",
            "ENDPOINT_IMAGE_URI": "000000000000.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0",
            "ENDPOINT_MEMORY_MEGABYTES": "2048",
            "ENDPOINT_MAX_CONCURRENCY": "5",
            "RETRAINING_BASE_URL": "https://api.example.com/retrainings",
            "REGISTRY_TABLE_NAME": "registry",
            "FEATURE_TABLE_NAME": "features",
            "RESULT_BASE_URL": "https://api.example.com/results",
            "RESULT_SIGNING_SECRET_ARN": secret["ARN"],
            "RETRY_BASE_URL": "https://api.example.com/retries",
            "ROLLBACK_BASE_URL": "https://api.example.com/rollbacks",
            "RUN_INFERENCE_STATE_MACHINE_ARN": machine,
            "VALIDATE_PARTS_STATE_MACHINE_ARN": machine,
            "TASK_TOKEN_KEY_ARN": client("kms").create_key()["KeyMetadata"]["Arn"],
            "TRAINING_INSTANCE_TYPE": "ml.m5.large",
            "TRAINING_SOURCE_DIRECTORY": str(source),
            "TRAINING_TIMEOUT_SECONDS": "3600",
            "TRAIN_MODEL_STATE_MACHINE_ARN": machine,
        },
        queue,
    )


def _waiting_machine(cloud: LocalCloud, queue: str) -> str:
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="waiting", AssumeRolePolicyDocument=json.dumps(_ROLE))["Role"]["Arn"]
    iam.put_role_policy(RoleName="waiting", PolicyName="all", PolicyDocument=json.dumps(_ALL))
    wait = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Arguments": {
            "QueueUrl": queue,
            "MessageBody": "{% $states.context.Execution.Name & ' ' & $states.context.Task.Token %}",
        },
        "TimeoutSeconds": 3000,
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Wait", "States": {"Wait": wait}}
    return cloud.client("stepfunctions").create_state_machine(
        name="train_model", definition=json.dumps(definition), roleArn=role
    )["stateMachineArn"]


class Runner:
    """Runs functions in processes forked from one that has imported them all."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._context = fresh_processes()

    def __call__(
        self, function: str, event: Any, fault: Fault | None = None
    ) -> tuple[Any, str | None, list[str]]:
        """Return (answer, error, calls); the error of a killed run is `killed`."""
        ours, theirs = self._context.Pipe(duplex=False)
        arguments = (function, event, dict(self._world.variables), fault, theirs)
        process = self._context.Process(target=run, args=arguments, daemon=True)
        process.start()
        theirs.close()
        try:
            message = ours.recv()
        except EOFError:
            message = (None, "killed", [])
        process.join(60)
        assert process.exitcode in (0, KILLED), process.exitcode
        assert (process.exitcode == KILLED) == (message[1] == "killed")
        return message


def poll[T](look: Callable[[], T | None], what: str, seconds: float = 30) -> T:
    """Return what is found in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        actual = look()
        if actual is not None:
            return actual
        time.sleep(0.05)
    raise AssertionError(what)
