"""The walk through the whole path on real data that `make demo` shows."""

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

from local.cloud import LocalCloud, connect
from local.demo_retraining import SETTINGS, DemoRetraining
from local.demo_training import DemoTrainings
from local.errors import LocalCloudError
from local.launcher import DEFAULT_DIRECTORY, REPOSITORY_ROOT, start
from local.narrator import Narrator
from local.stack import DeployedStack, deploy_application
from mlops.models.metrics import metric_name, metric_value

GROUP = "medication-adherence"
EXAMPLE = REPOSITORY_ROOT / "examples" / GROUP
RESULTS = REPOSITORY_ROOT / "demo-results"


def run(directory: Path = DEFAULT_DIRECTORY, *, approve_by_hand: bool | None = None) -> None:
    """Walk the path: deploy, train, approve, score twice, check for drift, label, train again, approve.

    Parameters
    ----------
    directory
        Where the local cloud runs; one that runs there already is used.
    approve_by_hand
        Wait for a person to answer on the approval page; by default when `APPROVE=me` is set.
    """
    by_hand = os.environ.get("APPROVE") == "me" if approve_by_hand is None else approve_by_hand
    say = Narrator()
    RESULTS.mkdir(exist_ok=True)
    say.title("Deploy")
    stack = _deploy(say, directory)
    trainings = DemoTrainings(say, stack, GROUP, by_hand)
    say.title("Train")
    version = _train(trainings)
    say.title("Score")
    usual = _score(say, stack, "score.csv")
    drifted = _score(say, stack, "score_drifted.csv")
    say.title("Nightly drift check")
    night = _check_drift(say, stack)
    say.title("Outcomes, and a new model")
    retraining = DemoRetraining(trainings, version, EXAMPLE / "outcomes.csv")
    newer = retraining.walk(EXAMPLE / "score.csv", EXAMPLE / "score_drifted.csv")
    batches = {"score": usual, "score_drifted": drifted}
    _summary(say, stack, (version, newer), batches, night)


def _deploy(say: Narrator, directory: Path) -> DeployedStack:
    cloud = connect(directory)
    if cloud is None:
        state = start(directory)
        cloud = LocalCloud(state.endpoint, state.port, directory.resolve())
    say.line(f"the local cloud runs at {cloud.endpoint}/_local/")
    stack = deploy_application(cloud)
    say.line(f"sam deploy is done; data bucket: {stack.outputs['DataBucketName']}")
    return stack


def _train(trainings: DemoTrainings) -> str:
    say, stack = trainings.say, trainings.stack
    earlier, seen_emails = stack.executions("TrainModel"), len(stack.cloud.emails())
    stack.drop(_settings(len(earlier)), f"{GROUP}/model.toml")
    stack.drop(EXAMPLE / "train.csv", f"{GROUP}/training/train.csv")
    say.line(f"dropped {GROUP}/training/train.csv")
    return trainings.follow(stack.wait_for_execution("TrainModel", earlier), after=seen_emails)


def _settings(earlier_walks: int) -> bytes:
    """Return model.toml; a later walk gets another seed, since the same data and settings train only once."""
    text = (EXAMPLE / "model.toml").read_bytes() + SETTINGS
    return f"seed = {earlier_walks}\n".encode() + text if earlier_walks else text


def _score(say: Narrator, stack: DeployedStack, name: str) -> dict[str, Any]:
    earlier = stack.executions("RunInference")
    stack.drop(EXAMPLE / name, f"{GROUP}/inference/{name}")
    say.line(f"dropped {GROUP}/inference/{name}")
    execution = stack.wait_for_execution("RunInference", earlier)
    for step in stack.steps(execution):
        say.line(f"state: {step.name}")
    described = stack.cloud.client("stepfunctions").describe_execution(executionArn=execution)
    if described["status"] != "SUCCEEDED":
        raise LocalCloudError(f"Scoring ended as {described['status']}: {described.get('cause')}")
    result: dict[str, Any] = json.loads(described["output"])
    folder = RESULTS / name.removesuffix(".csv")
    folder.mkdir(exist_ok=True)
    for key in stack.keys(f"{stack.batch_folder(GROUP, result['batch_id'])}/"):
        (folder / key.rsplit("/", 1)[1]).write_bytes(stack.read(key))
    rows = list(csv.reader(io.StringIO((folder / "predictions.csv").read_text(encoding="utf-8"))))
    say.line(f"{result['n_rows']} predictions, drift {result['drift_verdict']} ({result['drift_score']:.2f})")
    say.quote("\n".join(", ".join(row) for row in rows[:4]))
    if result["features_with_drift"]:
        say.quote("changed: " + ", ".join(result["features_with_drift"][:6]))
    return result


def _check_drift(say: Narrator, stack: DeployedStack) -> dict[str, Any]:
    night = stack.check_drift()
    for group in night["groups"]:
        say.line(
            f"{group['group']}: {group['verdict']} over {group['n_batches']} batches, {group['n_rows']} rows"
        )
    for key in stack.keys(f"drift/{GROUP}/"):
        if key.endswith("drift_report.html"):
            (RESULTS / "nightly_drift_report.html").write_bytes(stack.read(key))
    return night


def _summary(
    say: Narrator,
    stack: DeployedStack,
    versions: tuple[str, str],
    batches: dict[str, dict[str, Any]],
    night: dict[str, Any],
) -> None:
    first, newer = versions
    metrics = json.loads(stack.read(f"models/{GROUP}/{first}/metrics.json"))
    scores = ", ".join(
        f"{metric_name(name)} {metric_value(name, metrics[name])}"
        for name in ("roc_auc", "average_precision", "balanced_accuracy")
    )
    verdicts = ", ".join(f"{name}: {result['drift_verdict']}" for name, result in batches.items())
    pages = f"{stack.cloud.endpoint}/_local"
    say.title("Done")
    for label, text in (
        ("model", f"{GROUP} {first}, then {newer}, which is the champion now ({say.seconds:.0f} s in all)"),
        ("held-out", f"{first}: {scores}"),
        ("predictions", f"{RESULTS / 'score' / 'predictions.csv'}"),
        ("drift reports", f"{RESULTS / 'score_drifted' / 'drift_report.html'} ({verdicts})"),
        ("nightly", f"{RESULTS / 'nightly_drift_report.html'} ({night['groups'][0]['verdict']})"),
        ("dashboard", f"{pages}/dashboard"),
        ("inbox", f"{pages}/inbox ({len(stack.cloud.emails())} emails)"),
        ("stop", "make down"),
    ):
        print(f"  {label:14} {text}")
