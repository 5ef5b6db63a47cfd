"""The application, deployed once into a local cloud with IAM enforced; walks that several tests look at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

import mlops
from local.cloud import HttpAnswer, local_cloud
from local.stack import (
    STACK_NAME,
    DeployedStack,
    deploy_application,
    read_form,
    version_in,
    wait,
)
from tests.e2e.approvals import operating, roll_back, rollback_link, run_mlops, watch
from tests.e2e.faults import failing_ranges, has_failed_once, without_table
from tests.e2e.feature_walk import FeatureWalk, walk_features
from tests.e2e.killed_training import KilledTraining, kill_and_retry
from tests.e2e.ledger import in_ledger, rows_of_the_ledger
from tests.e2e.parts_walk import FolderWalk, fail_validation, lose_parts, walk_folder
from tests.e2e.ranges_walk import score_converted_file, score_deleted_file
from tests.e2e.walks import (
    A_LARGE_FOREST,
    A_QUICK_MODEL,
    EXAMPLE,
    GROUP,
    MORE_ROWS_THAN_A_FOLD_HAS,
    Walk,
    a_regression_table,
    a_table_of_uneven_groups,
    as_parquet,
    as_workbook,
    score,
    start_training,
    train_and_decide,
    walk,
)

APPROVAL_TIMEOUT_SECONDS = (
    120  # short, so that a candidate without an answer expires while the other tests run
)
TUNING_PARALLEL_JOBS = 2
SEARCH = """
target = "price"
algorithm = "HistGradientBoosting"
[search]
trials = 5
[search.space]
max_iter = [5, 60]
max_features = [0.5, 1.0, 0.8]
"""
# small, so that files of some thousand rows are scored in ranges, and in a job
LAMBDA_SCORING_LIMIT_BYTES, MAP_SCORING_LIMIT_BYTES = 120_000, 240_000


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedStack]:
    """The deployed application. pytest removes its files, after some runs."""
    with local_cloud(directory=tmp_path_factory.mktemp("cloud"), keep=True) as cloud:
        yield deploy_application(
            cloud,
            AllowAutomaticApproval="on",
            ApprovalTimeoutSeconds=str(APPROVAL_TIMEOUT_SECONDS),
            LambdaScoringLimitBytes=str(LAMBDA_SCORING_LIMIT_BYTES),
            MapScoringLimitBytes=str(MAP_SCORING_LIMIT_BYTES),
            ServerlessEndpointGroups="served",
            TuningParallelJobs=str(TUNING_PARALLEL_JOBS),
        )


@pytest.fixture(scope="session")
def forgotten_candidate(stack: DeployedStack) -> str:
    """The execution of a candidate that is never answered; started first, looked at last."""
    return start_training(stack, "forgotten", a_regression_table(seed=9), A_QUICK_MODEL)


@pytest.fixture(scope="session")
def champion(stack: DeployedStack, forgotten_candidate: str) -> Walk:
    """The example's training file, dropped, trained and approved through the page."""
    toml = (EXAMPLE / "model.toml").read_text()
    return train_and_decide(stack, GROUP, (EXAMPLE / "train.csv").read_bytes(), toml, "approved")


@pytest.fixture(scope="session")
def scored(stack: DeployedStack, champion: Walk) -> Walk:
    """The example's scoring file, scored in Lambda."""
    return score(stack, GROUP, "score.csv", (EXAMPLE / "score.csv").read_bytes())


@pytest.fixture(scope="session")
def scored_workbook(stack: DeployedStack, champion: Walk) -> Walk:
    """The example's scoring file as an Excel workbook."""
    return score(stack, GROUP, "score.xlsx", as_workbook(pd.read_csv(EXAMPLE / "score.csv")))


@pytest.fixture(scope="session")
def scored_drifted(stack: DeployedStack, scored: Walk) -> Walk:
    """The example's other scoring file: patients of another kind."""
    return score(stack, GROUP, "score_drifted.csv", (EXAMPLE / "score_drifted.csv").read_bytes())


@pytest.fixture(scope="session")
def scored_in_a_job(stack: DeployedStack, champion: Walk) -> Walk:
    """A file above both limits, scored in a SageMaker processing job."""
    return score(stack, GROUP, "large.csv", _larger_than(MAP_SCORING_LIMIT_BYTES))


@pytest.fixture(scope="session")
def scored_in_ranges(stack: DeployedStack, champion: Walk) -> Walk:
    """A file above the limit of one function, scored in ranges of its rows."""
    return score(stack, GROUP, "medium.csv", _larger_than(LAMBDA_SCORING_LIMIT_BYTES))


@pytest.fixture(scope="session")
def scored_by_pipeline(stack: DeployedStack) -> tuple[Walk, Walk]:
    """A small and a larger file, scored by a forest that is too large to be compiled."""
    train_and_decide(stack, "wooded", a_regression_table(rows=3000, seed=41), A_LARGE_FOREST, "approved")
    rows = a_regression_table(rows=8000, seed=42).drop(columns="price")
    assert LAMBDA_SCORING_LIMIT_BYTES < len(rows.to_csv(index=False)) <= MAP_SCORING_LIMIT_BYTES
    small = score(stack, "wooded", "small.csv", rows[:60].to_csv(index=False).encode())
    return small, score(stack, "wooded", "medium.csv", rows.to_csv(index=False).encode())


@pytest.fixture(scope="session")
def shadowed(stack: DeployedStack) -> HttpAnswer:
    """The approval page of a candidate that has scored a CSV file and a workbook in shadow."""
    toml = A_QUICK_MODEL + "[gate.r2]\nmin_absolute_change = -1.0"
    train_and_decide(stack, "shaded", a_regression_table(seed=31), toml, "approved")
    newest = stack.cloud.newest_email_id()
    execution = start_training(stack, "shaded", a_regression_table(seed=32), toml)
    mail, link = stack.wait_for_approval_link("shaded", after=newest)
    rows = a_regression_table(rows=60, seed=33).drop(columns="price")
    score(stack, "shaded", "new.csv", rows.to_csv(index=False).encode())
    score(stack, "shaded", "new.xlsx", as_workbook(rows))
    wait(lambda: len(stack.keys("shadow/agreement/shaded/")) == 2 or None, "two batches in shadow", 90)
    page = stack.cloud.request("GET", link)
    stack.decide(link, version_in(mail["subject"]), "rejected", "The first one stays.")
    walk(stack, execution)
    return page


@pytest.fixture(scope="session")
def failed_range(stack: DeployedStack, scored_in_ranges: Walk) -> dict:
    """The email about a file of which a range could not be scored."""
    existing = stack.executions("RunInference")
    with failing_ranges(stack):
        stack.drop(_larger_than(LAMBDA_SCORING_LIMIT_BYTES), f"{GROUP}/inference/broken.csv")
        stack.finish(stack.wait_for_execution("RunInference", existing))
    return stack.wait_for_email(lambda m: "inference/broken.csv" in m["body"], "failure")


@pytest.fixture(scope="session")
def converted_range(stack: DeployedStack, scored_workbook: Walk) -> dict:
    """The answer for the first range of a file that was converted."""
    return score_converted_file(stack, scored_workbook)


@pytest.fixture(scope="session")
def errors_of_a_deleted_file(stack: DeployedStack, scored_in_ranges: Walk) -> set[str]:
    """How the functions that list and score ranges fail when the file was deleted."""
    return score_deleted_file(stack, scored_in_ranges)


@pytest.fixture(scope="session")
def opened_result(stack: DeployedStack, scored: Walk) -> tuple[HttpAnswer, HttpAnswer]:
    """The page behind the link in the email about predictions, and the answer to its form."""
    mail = stack.wait_for_email(lambda m: "predictions of score.csv are ready" in m["subject"], "result")
    link = next(link for link in mail["links"] if "/results/" in link)
    page = stack.cloud.request("GET", link)
    return page, stack.post_form(link, {**read_form(page.text).hidden, "file": "predictions.csv"})


def _larger_than(size_bytes: int) -> bytes:
    """Return the rows of the example as often as it takes."""
    table = pd.read_csv(EXAMPLE / "score.csv", dtype=str)
    times = 1 + size_bytes // (EXAMPLE / "score.csv").stat().st_size
    return pd.concat([table] * times, ignore_index=True).to_csv(index=False).encode()


@pytest.fixture(scope="session")
def recorded(stack: DeployedStack, scored: Walk, scored_drifted: Walk) -> tuple[Walk, Walk]:
    """Two batches that are in the ledger."""
    for batch in (scored, scored_drifted):
        name = f"batch-{batch.output['batch_id']}.parquet"
        wait(lambda name=name: in_ledger(stack, name) or None, f"{name} in the ledger", 90)
    return scored, scored_drifted


@pytest.fixture(scope="session")
def labelled(stack: DeployedStack, recorded: tuple[Walk, Walk]) -> dict:
    """The report after the outcomes of the first batch were dropped; each came true as often as predicted."""
    batch_id, rng = recorded[0].output["batch_id"], np.random.default_rng(0)
    rows = [row for row in rows_of_the_ledger(stack) if row["batch_id"] == batch_id]
    labels = pd.DataFrame(
        {
            "batch": batch_id,
            "row": [row["row"] for row in rows],
            "patient_id": [row["patient_id"] for row in rows],
            "outcome": [int(rng.random() < row["probability_1"]) for row in rows],
        }
    )
    stack.drop(labels.to_csv(index=False).encode(), f"{GROUP}/labels/outcomes.csv")
    wait(lambda: stack.keys(f"quality/{GROUP}/") or None, "a report of realised quality", 90)
    return json.loads(run_mlops(stack, "quality", GROUP, "--json"))


@pytest.fixture(scope="session")
def requested(stack: DeployedStack, champion: Walk) -> pd.DataFrame:
    """The answer to the first rows of the example's scoring file, predicted at once and in the ledger."""
    rows = pd.read_csv(EXAMPLE / "score.csv", dtype={"patient_id": str}).head(5)
    with operating(stack):
        answer = mlops.connect(STACK_NAME).group(GROUP).predict(rows, reasons=True)
    wait(lambda: in_ledger(stack, "batch-requests-") or None, "the request in the ledger", 90)
    return answer


@pytest.fixture(scope="session")
def featured(stack: DeployedStack, tmp_path_factory: pytest.TempPathFactory) -> FeatureWalk:
    """A view with values, in files and online."""
    return walk_features(stack, tmp_path_factory.mktemp("features"))


@pytest.fixture(scope="session")
def missing_batch(stack: DeployedStack) -> dict:
    """What the function says when the batch of an event was deleted."""
    address = f"s3://{stack.outputs['ArtifactBucketName']}/predictions/absent/b/predictions.csv"
    detail = {"group": "absent", "batch_id": "b", "n_rows": 1, "predictions_uri": address}
    client = stack.cloud.client("lambda")
    names = [function["FunctionName"] for function in client.list_functions()["Functions"]]
    name = next(name for name in names if "RecordPredictions" in name)
    answer = client.invoke(FunctionName=name, Payload=json.dumps({"detail": detail}))
    return json.loads(answer["Payload"].read())


@pytest.fixture(scope="session")
def merged_ledger(
    stack: DeployedStack, recorded: tuple[Walk, Walk], scored_in_a_job: Walk, requested: pd.DataFrame
) -> dict:
    """The answer of the nightly merging, on the day after the batches were scored."""
    name = f"batch-{scored_in_a_job.output['batch_id']}.parquet"
    wait(lambda: in_ledger(stack, name) or None, f"{name} in the ledger", 90)
    before = rows_of_the_ledger(stack)
    answer = stack.run_scheduled("MergePredictions", datetime.now(UTC) + timedelta(days=1))
    return {"answer": answer, "before": before}


@pytest.fixture(scope="session")
def rejected_candidate(stack: DeployedStack, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """A candidate that a reviewer turned down; its training file was Parquet."""
    content = as_parquet(a_regression_table(), tmp_path_factory.mktemp("parquet") / "houses.parquet")
    toml = A_QUICK_MODEL
    return train_and_decide(stack, "houses", content, toml, "rejected", "Not now.", "houses.parquet")


@pytest.fixture(scope="session")
def waiting_files(stack: DeployedStack) -> list[dict]:
    """The emails about two files to score of a group without a champion; the second is deleted again."""
    content = a_regression_table(rows=40, seed=5).drop(columns="price").to_csv(index=False).encode()
    mails = []
    for name in ("waits.csv", "deleted.csv"):
        version = stack.drop(content, f"lots/inference/{name}")
        subject = f"[lots] {name} waits for a model"
        mails.append(stack.wait_for_email(lambda m, subject=subject: m["subject"] == subject, "waiting"))
    stack.cloud.client("s3").delete_object(
        Bucket=stack.outputs["DataBucketName"], Key="lots/inference/deleted.csv", VersionId=version
    )
    return mails


@pytest.fixture(scope="session")
def scored_after_waiting(stack: DeployedStack, waiting_files: list[dict], automatic_candidate: Walk) -> dict:
    """The email about the predictions of the file that waited."""
    return stack.wait_for_email(lambda m: "lots" in m["subject"] and "ready" in m["subject"], "predictions")


@pytest.fixture(scope="session")
def automatic_candidate(stack: DeployedStack, waiting_files: list[dict]) -> Walk:
    """A candidate of a group whose policy, set by the command, allows automatic approval."""
    run_mlops(stack, "policy", "set", "lots", "--automatic", "on", "--reason", "no one needs to look")
    toml = A_QUICK_MODEL + "[approval]\nautomatic = true"
    return walk(stack, start_training(stack, "lots", a_regression_table(seed=4), toml))


@pytest.fixture(scope="session")
def hopeless_candidate(stack: DeployedStack) -> Walk:
    """A model of noise: no better than guessing."""
    noise = a_regression_table().assign(price=np.random.default_rng(3).normal(size=400))
    execution = start_training(stack, "noise", noise, A_QUICK_MODEL)
    return walk(stack, execution)


@pytest.fixture(scope="session")
def checked_for_drift(stack: DeployedStack, scored_drifted: Walk, scored_in_a_job: Walk) -> dict:
    """The nightly check's answer, after all batches."""
    return stack.check_drift()


@pytest.fixture(scope="session")
def dashboard(stack: DeployedStack, checked_for_drift: dict, labelled: dict) -> HttpAnswer:
    """The page of the dashboard, whose widgets the function of the stack draws."""
    return stack.cloud.request("GET", stack.dashboard_url)


@pytest.fixture(scope="session")
def drift_mail(stack: DeployedStack, checked_for_drift: dict) -> dict:
    """The email of the second night in drift: one night alone does not alert."""
    stack.check_drift(days_ahead=1)
    return stack.wait_for_email(lambda m: m["subject"].startswith(f"Inputs changed: {GROUP}"), "drift")


@pytest.fixture(scope="session")
def acknowledged_alert(stack: DeployedStack, drift_mail: dict) -> HttpAnswer:
    """The page of the drift alert, after it was acknowledged."""
    link = next(link for link in drift_mail["links"] if "/alerts/" in link)
    form = read_form(stack.cloud.request("GET", link).text)
    answer = stack.post_form(link, {**form.hidden, "answer": "acknowledge"})
    assert answer.status == 303, answer.text
    return stack.cloud.request("GET", link)


@pytest.fixture(scope="session")
def failed_training(stack: DeployedStack) -> Walk:
    """A training with a hyperparameter that does not fit the rows of a fold."""
    execution = start_training(stack, "hollow", a_table_of_uneven_groups(), MORE_ROWS_THAN_A_FOLD_HAS)
    return Walk(execution, stack.finish(execution), stack.status(execution), {})


@pytest.fixture(scope="session")
def stopped_training(stack: DeployedStack) -> Walk:
    """A training whose job was stopped."""
    execution = start_training(stack, "halted", a_regression_table(rows=3000, seed=8), 'target = "price"')
    sagemaker = stack.cloud.client("sagemaker")

    def running() -> str | None:
        jobs = sagemaker.list_training_jobs(NameContains="halted")["TrainingJobSummaries"]
        return next((job["TrainingJobName"] for job in jobs), None)

    sagemaker.stop_training_job(TrainingJobName=wait(running, "the job", 60))
    return Walk(execution, stack.finish(execution), stack.status(execution), {})


@pytest.fixture(scope="session")
def killed_training(stack: DeployedStack) -> KilledTraining:
    """A training whose job was killed, and which was started again until it had a model."""
    return kill_and_retry(stack)


@pytest.fixture(scope="session")
def unlucky_promotion(stack: DeployedStack) -> Walk:
    """A candidate whose promotion fails at first, because its function does not find the table."""
    execution = start_training(stack, "unlucky", a_regression_table(seed=22), A_QUICK_MODEL)
    _, link = stack.wait_for_approval_link("unlucky")
    with without_table(stack, "PromoteModel"):
        stack.decide(link, "v1.0.0", "approved")
        wait(lambda: has_failed_once(stack, execution, "Promote model") or None, "a failed promotion", 60)
    return walk(stack, execution)


@pytest.fixture(scope="session")
def tuned_candidate(stack: DeployedStack) -> Walk:
    """A candidate whose hyperparameters a tuning job has found; it is turned down in the end."""
    return train_and_decide(stack, "tuned", a_regression_table(seed=14), SEARCH, "rejected", "Only a try.")


@pytest.fixture(scope="session")
def failed_tuning(stack: DeployedStack) -> Walk:
    """A tuning job whose trials all have a hyperparameter that does not fit the rows of a fold."""
    toml = f"{MORE_ROWS_THAN_A_FOLD_HAS}[search]\ntrials = 9\n"
    execution = start_training(stack, "untunable", a_table_of_uneven_groups(seed=15), toml)
    return Walk(execution, stack.finish(execution), stack.status(execution), {})


@pytest.fixture(scope="session")
def failed_scoring(stack: DeployedStack, champion: Walk) -> str:
    """The execution of a batch whose request was damaged on its way."""
    document = {"group": GROUP, "batch_id": "damaged", "upload": {"key": "k", "size_bytes": 1}, "model": {}}
    execution: str = stack.cloud.client("stepfunctions").start_execution(
        stateMachineArn=stack.outputs["RunInferenceStateMachineArn"],
        name="damaged-request",
        input=json.dumps(document),
    )["executionArn"]
    stack.finish(execution)
    return execution


@pytest.fixture(scope="session")
def swapped_artifact(stack: DeployedStack) -> tuple[str, list[str]]:
    """The execution and states of a candidate whose artifact vanished between approval and promotion."""
    execution = start_training(stack, "swapped", a_regression_table(seed=6), A_QUICK_MODEL)
    _, link = stack.wait_for_approval_link("swapped")
    bucket, s3 = stack.outputs["ArtifactBucketName"], stack.cloud.client("s3")
    key = next(key for key in stack.keys("training/swapped/") if key.endswith("model.tar.gz"))
    version = s3.head_object(Bucket=bucket, Key=key)["VersionId"]
    s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    stack.decide(link, "v1.0.0", "approved")
    return execution, stack.finish(execution)


@pytest.fixture(scope="session")
def superseded_candidate(stack: DeployedStack) -> Walk:
    """A candidate that a newer one superseded before it was answered; the newer one is rejected."""
    stopped = start_training(stack, "twice", a_regression_table(seed=5), A_QUICK_MODEL)
    stopped_mail, _ = stack.wait_for_approval_link("twice")
    stack.cloud.client("stepfunctions").stop_execution(executionArn=stopped)
    first = start_training(stack, "twice", a_regression_table(seed=1), A_QUICK_MODEL)
    stack.wait_for_approval_link("twice", after=stopped_mail["id"])
    newest = stack.cloud.newest_email_id()
    second = start_training(stack, "twice", a_regression_table(seed=2), A_QUICK_MODEL)
    mail, link = stack.wait_for_approval_link("twice", after=newest)
    stack.decide(link, version_in(mail["subject"]), "rejected", "Only the first was needed.")
    walk(stack, second)
    return walk(stack, first)


@pytest.fixture(scope="session")
def answer_after_a_stop(stack: DeployedStack) -> HttpAnswer:
    """What the page answers when the execution was stopped behind the approver's back."""
    execution = start_training(stack, "stopped", a_regression_table(seed=4), A_QUICK_MODEL)
    _, link = stack.wait_for_approval_link("stopped")
    stack.cloud.client("stepfunctions").stop_execution(executionArn=execution)
    return stack.decide(link, "v1.0.0", "approved")


@pytest.fixture(scope="session")
def reminder(stack: DeployedStack) -> dict:
    """The email that reminds of a candidate whose time is running out; its execution is stopped then."""
    execution = start_training(stack, "abandoned", a_regression_table(seed=10), A_QUICK_MODEL)
    stack.wait_for_approval_link("abandoned")
    with operating(stack) as operator:
        operator.ask_earlier("abandoned", "v1.0.0", timedelta(seconds=APPROVAL_TIMEOUT_SECONDS))
    assert watch(stack)["n_reminded"] >= 1
    expected = "Reminder: approve abandoned"
    mail = stack.wait_for_email(lambda m: m["subject"].startswith(expected), "reminder")
    stack.cloud.client("stepfunctions").stop_execution(executionArn=execution)
    return mail


@pytest.fixture(scope="session")
def expiry_mail(stack: DeployedStack, reminder: dict) -> dict:
    """The email about the candidate whose execution was stopped."""
    watch(stack)
    return stack.wait_for_email(lambda m: m["subject"] == "abandoned v1.0.0 expired", "expiry")


@pytest.fixture(scope="session")
def asked_again(stack: DeployedStack, expiry_mail: dict) -> tuple[HttpAnswer, Walk]:
    """The expired candidate, reopened without card and details, and approved by command."""
    s3, bucket = stack.cloud.client("s3"), stack.outputs["ArtifactBucketName"]
    for name in ("evaluation_details.json", "model_card.html"):
        s3.delete_object(Bucket=bucket, Key=f"models/abandoned/v1.0.0/{name}")
    existing = stack.executions("TrainModel")
    run_mlops(stack, "reopen", "abandoned", "v1.0.0", "--reason", "The approvers were away.")
    execution = stack.wait_for_execution("TrainModel", existing)
    _, link = stack.wait_for_approval_link("abandoned", after=expiry_mail["id"])
    card = stack.cloud.request("GET", f"{link}/card")
    assert "abandoned" in run_mlops(stack, "pending")
    run_mlops(stack, "approve", "abandoned", "v1.0.0", "--reason", "Looks right.")
    return card, walk(stack, execution)


@pytest.fixture(scope="session")
def late_delivery(stack: DeployedStack) -> Walk:
    """A candidate whose rejection was stored, but never reached its execution until `watch_approvals` ran."""
    execution = start_training(stack, "undelivered", a_regression_table(seed=11), A_QUICK_MODEL)
    stack.wait_for_approval_link("undelivered")
    with operating(stack) as operator:
        operator.forget_delivery("undelivered", "v1.0.0")
    assert watch(stack)["n_delivered"] >= 1
    return walk(stack, execution)


@pytest.fixture(scope="session")
def rolled_back(stack: DeployedStack) -> tuple[dict, HttpAnswer]:
    """The email about a second champion, and what the page said when it was rolled back through it."""
    toml = A_QUICK_MODEL + "[gate.r2]\nmin_absolute_change = -1.0"
    train_and_decide(stack, "ways", a_regression_table(seed=12), toml, "approved")
    train_and_decide(stack, "ways", a_regression_table(seed=13), toml, "approved")
    mail = stack.wait_for_email(lambda m: m["subject"] == "ways v1.0.1 is in service", "promotion")
    answer = roll_back(stack, rollback_link(mail), "v1.0.0", "Worse than before.")
    assert answer.status in (200, 303), answer.text
    return mail, stack.cloud.request("GET", rollback_link(mail))


@pytest.fixture(scope="session")
def late_rollback(stack: DeployedStack, rolled_back: tuple[dict, HttpAnswer]) -> HttpAnswer:
    """A lost decision is carried out by the watch; then the answer to one that is impossible."""
    with operating(stack) as operator:
        operator.forget_rollback("ways", "v1.0.0", "v1.0.1")
        assert watch(stack)["n_rolled_back"] == 1
        link = operator.rollback_link("ways", "v1.0.1", "v1.0.0")
        artifact = operator.registry.get_model("ways", "v1.0.0").artifact
        bucket, _, key = artifact.uri.removeprefix("s3://").partition("/")
        stack.cloud.client("s3").delete_object(Bucket=bucket, Key=key, VersionId=artifact.version_id)
    return roll_back(stack, link, "v1.0.0", "Worse again.")


@pytest.fixture(scope="session")
def refused_file(stack: DeployedStack) -> dict:
    """A training file with tags and a row that is too long: its key, its bytes and the email about it."""
    key = "refused/training/b a+d é.csv"
    content = a_regression_table().to_csv(index=False).encode() + b"1,2,3,4,5,6,7\n"
    bucket = stack.outputs["DataBucketName"]
    stack.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=content, Tagging="project=blue")
    mail = stack.wait_for_email(lambda m: m["subject"].startswith("[refused]"), "refusal")
    return {"key": key, "content": content, "mail": mail}


@pytest.fixture(scope="session")
def recovered_file(stack: DeployedStack) -> Walk:
    """A training file without its event, which the daily sweep has started; its group has hopeless data."""
    noise = a_regression_table(seed=11).assign(price=np.random.default_rng(4).normal(size=400))
    events, existing = stack.cloud.client("events"), stack.executions("TrainModel")
    (rule,) = (rule["Name"] for rule in events.list_rules()["Rules"] if "FileDropped" in rule["Name"])
    stack.drop(A_QUICK_MODEL.encode(), "lost/model.toml")
    events.disable_rule(Name=rule)
    stack.drop(noise.to_csv(index=False).encode(), "lost/training/train.csv")
    events.enable_rule(Name=rule)
    sweep = stack.run_scheduled("RecoverUploads", datetime.now(UTC) + timedelta(hours=2))
    assert sweep["n_recovered"] >= 1, sweep  # with files that wait for a champion or for content
    return walk(stack, stack.wait_for_execution("TrainModel", existing))


@pytest.fixture(scope="session")
def closed_folder(stack: DeployedStack) -> FolderWalk:
    """A table in twelve parts: refused for one of them, mended and accepted, closed again."""
    return walk_folder(stack, a_regression_table(rows=480, seed=12))


@pytest.fixture(scope="session")
def open_folder_mail(stack: DeployedStack) -> dict:
    """The email about parts that were not closed, from the sweep of the day after."""
    for number in range(2):
        stack.drop(b"a,b\n1,2\n", f"open/training/march/part-{number}.csv")
    stack.run_scheduled("RecoverUploads", datetime.now(UTC) + timedelta(hours=25))
    return stack.wait_for_email(lambda m: m["subject"].startswith("[open]"), "waiting folder")


@pytest.fixture(scope="session")
def lost_parts(stack: DeployedStack, closed_folder: FolderWalk) -> dict:
    """The result for parts that were deleted before they are read."""
    return lose_parts(stack, closed_folder.validations[0])


@pytest.fixture(scope="session")
def failed_validation(stack: DeployedStack) -> str:
    """The execution of a validation whose request was damaged."""
    return fail_validation(stack)


@pytest.fixture(scope="session")
def dead_letter(stack: DeployedStack) -> str:
    """What is left of an event that no try could handle."""
    client = stack.cloud.client("lambda")
    names = [function["FunctionName"] for function in client.list_functions()["Functions"]]
    intake = next(name for name in names if "ReceiveUpload" in name)
    client.invoke(FunctionName=intake, InvocationType="Event", Payload=b'{"detail": {}}')
    sqs = stack.cloud.client("sqs")
    queue = next(url for url in sqs.list_queues()["QueueUrls"] if "UploadDeadLetter" in url)
    return wait(
        lambda: next((m["Body"] for m in sqs.receive_message(QueueUrl=queue).get("Messages", [])), None),
        "a dead letter",
        240,
    )
