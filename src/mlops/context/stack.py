"""The parts of the library on the resources of a deployed stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from mlops.infrastructure.clock import utc_now
from mlops.models.errors import SettingsError

if TYPE_CHECKING:  # each is imported on first use: pandas and boto3 are slow, and no caller needs all parts
    from mlops.approval.completion import Completion
    from mlops.approval.decisions import ApprovalService
    from mlops.approval.mailer import Mailer
    from mlops.approval.policy.store import Policies
    from mlops.approval.rollbacks import RollbackService
    from mlops.dataset.catalog.catalog import DatasetCatalog
    from mlops.dataset.catalog.versions import DatasetVersions
    from mlops.experiment.store import RunStore
    from mlops.experiment.tracker import ExperimentTracker
    from mlops.feature_store.store import FeatureStore
    from mlops.infrastructure.notifications import Notifier
    from mlops.infrastructure.object_store import ObjectStore
    from mlops.intake.failures.retry import RetryService
    from mlops.ledger.files import LedgerFiles
    from mlops.ledger.reading import Predictions
    from mlops.ledger.recording import Ledger
    from mlops.links.signer import LinkSigner
    from mlops.models.registry import ModelMetadata
    from mlops.models.scoring.answer import PredictionAnswer, PredictionRequest
    from mlops.models.scoring.quality import QualityReport
    from mlops.registry.model_registry import ModelRegistry
    from mlops.use_cases.drift.drift_archive import NightlyArchive
    from mlops.use_cases.forgetting.forget import Forgetting
    from mlops.use_cases.quality.quality_archive import QualityArchive


class StackContext:
    """The parts of a deployed stack; each is built when it is first used, and kept.

    A part can be replaced before its first use, by a fake for example: `context.objects = FakeObjects()`; the
    parts that are built on it then use the replacement.

    Parameters
    ----------
    variables
        What the stack calls its resources, by the names of the environment variables of its functions:
        `REGISTRY_TABLE_NAME`, `ARTIFACT_BUCKET_NAME`, ...
    actor
        Who acts, as the audit log names them; default: the AWS identity whose credentials are in use.
    now
        The clock of all parts that need the time.
    """

    def __init__(
        self, variables: Mapping[str, str], *, actor: str | None = None, now: Callable[[], datetime] = utc_now
    ) -> None:
        self.variables = variables
        self.now = now
        self._actor = actor

    def variable(self, name: str) -> str:
        """Return what the stack calls a resource, or raise SettingsError when the variable is not set."""
        if name not in self.variables:
            raise SettingsError(f"The environment variable {name} is not set.")
        return self.variables[name]

    @cached_property
    def actor(self) -> str:
        """Who acts, as the audit log names them."""
        if self._actor is not None:
            return self._actor
        from mlops.infrastructure.aws.account.sts import caller_arn

        return caller_arn()

    @property
    def artifact_bucket(self) -> str:
        """The name of the bucket that the system writes to."""
        return self.variable("ARTIFACT_BUCKET_NAME")

    @property
    def data_bucket(self) -> str:
        """The name of the bucket that people drop files into."""
        return self.variable("DATA_BUCKET_NAME")

    @cached_property
    def objects(self) -> ObjectStore:
        """The objects in the buckets."""
        from mlops.infrastructure.aws.s3 import S3Objects

        return S3Objects()

    @cached_property
    def registry(self) -> ModelRegistry:
        """The model registry."""
        from mlops.registry.model_registry import ModelRegistry

        table = self.variable("REGISTRY_TABLE_NAME")
        return ModelRegistry(use_dynamodb=True, table_name=table, actor=self._actor, now=self.now)

    @cached_property
    def versions(self) -> DatasetVersions:
        """The records of uploads, datasets and contracts."""
        from mlops.dataset.catalog.versions import DatasetVersions
        from mlops.infrastructure.aws.dynamodb import DynamoDBTable

        return DatasetVersions(DynamoDBTable(self.variable("REGISTRY_TABLE_NAME")))

    @cached_property
    def datasets(self) -> DatasetCatalog:
        """The datasets of all groups."""
        from mlops.dataset.catalog.catalog import DatasetCatalog

        return DatasetCatalog(self.versions, self.objects, self.registry, self.artifact_bucket)

    def forgetting(self, group: str) -> Forgetting:
        """What removes the rows of persons from all that is stored for a group."""
        from mlops.context.forgetting import forgetting_in

        return forgetting_in(
            group, self.datasets, self.ledger, self.label_files, self.features, self.data_bucket
        )

    @cached_property
    def run_store(self) -> RunStore:
        """The records of the training runs."""
        from mlops.experiment.factory import stack_runs

        return stack_runs(self.variable("REGISTRY_TABLE_NAME"), self.artifact_bucket)

    @cached_property
    def runs(self) -> ExperimentTracker:
        """The training runs of all groups."""
        from mlops.experiment.tracker import ExperimentTracker

        return ExperimentTracker(self.run_store)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of predictions, to record and to change it."""
        from mlops.infrastructure.aws.dynamodb import DynamoDBTable
        from mlops.ledger.batches import LedgerBatches
        from mlops.ledger.files import BucketFiles
        from mlops.ledger.recording import Ledger

        batches = LedgerBatches(DynamoDBTable(self.variable("REGISTRY_TABLE_NAME")))
        return Ledger(BucketFiles(self.objects, self.artifact_bucket), batches)

    @cached_property
    def label_files(self) -> LedgerFiles:
        """The labels of all groups."""
        from mlops.ledger.files import BucketFiles
        from mlops.ledger.labels.recording import PREFIX

        return BucketFiles(self.objects, self.artifact_bucket, PREFIX)

    @cached_property
    def quality_archive(self) -> QualityArchive:
        """The reports of realised quality."""
        from mlops.use_cases.quality.quality_archive import QualityArchive

        return QualityArchive(self.objects, self.artifact_bucket)

    def quality_report(self, group: str) -> QualityReport | None:
        """Return the realised quality of a group as it was measured last; None before the first time."""
        return self.quality_archive.last_report(group)

    @cached_property
    def predictions(self) -> Predictions:
        """The predictions in the ledger, to read them with Athena."""
        from mlops.ledger.athena import AthenaEngine
        from mlops.ledger.reading import Predictions

        engine = AthenaEngine(self.variable("LEDGER_DATABASE_NAME"), self.variable("LEDGER_WORKGROUP_NAME"))
        return Predictions(self.ledger.batches, engine)

    def predict(self, group: str, request: PredictionRequest) -> PredictionAnswer:
        """Predict rows with the champion of a group, by the API of the stack."""
        from mlops.context.predict_api import request_predictions

        return request_predictions(self.variable("PREDICT_URL"), group, request)

    @cached_property
    def features(self) -> FeatureStore:
        """The feature store, which people read with Athena as well."""
        from mlops.feature_store.factory import stack_features_of_people

        return stack_features_of_people(self.variables, self.objects, actor=self.actor, now=self.now)

    @cached_property
    def drift_archive(self) -> NightlyArchive:
        """The documents of the nightly drift check."""
        from mlops.use_cases.drift.drift_archive import NightlyArchive

        return NightlyArchive(self.objects, self.artifact_bucket)

    @cached_property
    def notifier(self) -> Notifier:
        """What notifies people and systems: by SNS, EventBridge and CloudWatch."""
        from mlops.infrastructure.notifications import AwsNotifier

        names = ("NOTIFICATION_TOPIC_ARN", "EVENT_BUS_NAME", "METRICS_NAMESPACE")
        return AwsNotifier(*map(self.variable, names))

    @cached_property
    def link_signer(self) -> LinkSigner:
        """What signs every link that changes something: to approve, roll back or train again."""
        return self._signer("APPROVAL_SIGNING_SECRET_ARN")

    def _signer(self, secret: str) -> LinkSigner:
        from mlops.infrastructure.aws.secretsmanager import read_secret
        from mlops.links.signer import LinkSigner
        from mlops.links.signing_keys import RotatingKeys

        secret_arn = self.variable(secret)
        return LinkSigner(RotatingKeys(lambda: read_secret(secret_arn)))

    def rotate_signing_keys(self) -> None:
        """Replace the keys that sign links; links that were signed with the previous keys keep working."""
        import secrets

        from mlops.infrastructure.aws.secretsmanager import read_secret, write_secret
        from mlops.links.signing_keys import rotate_secret

        for name in ("APPROVAL_SIGNING_SECRET_ARN", "RESULT_SIGNING_SECRET_ARN"):
            secret_arn = self.variable(name)
            write_secret(secret_arn, rotate_secret(read_secret(secret_arn), secrets.token_urlsafe(48)))

    @cached_property
    def approvals(self) -> ApprovalService:
        """The approval requests."""
        from mlops.approval.decisions import ApprovalService
        from mlops.approval.store import RequestStore
        from mlops.infrastructure.aws.dynamodb import DynamoDBTable

        table = RequestStore(DynamoDBTable(self.variable("APPROVAL_TABLE_NAME")))
        return ApprovalService(table, self.registry, self.variable("TASK_TOKEN_KEY_ARN"), now=self.now)

    @cached_property
    def policies(self) -> Policies:
        """The approval policies: the parameters of the stack, and the record of each group."""
        from mlops.context.policies import policies_of_stack

        return policies_of_stack(self.variables)

    @cached_property
    def rollbacks(self) -> RollbackService:
        """The offers to roll back."""
        from mlops.approval.rollbacks import RollbackService
        from mlops.approval.store import OfferStore
        from mlops.infrastructure.aws.dynamodb import DynamoDBTable

        table = OfferStore(DynamoDBTable(self.variable("APPROVAL_TABLE_NAME")))
        return RollbackService(table, self.registry, self.objects, self.notifier, now=self.now)

    @cached_property
    def approval_mailer(self) -> Mailer:
        """What emails approvers their links to the approval page."""
        return self._mailer("APPROVAL_BASE_URL")

    @cached_property
    def completion(self) -> Completion:
        """What carries out the decisions whose execution has ended."""
        from mlops.approval.completion import Completion

        return Completion(self.approvals, self.rollbacks, self.rollback_mailer)

    @cached_property
    def retries(self) -> RetryService:
        """What starts failed trainings again."""
        from mlops.intake.executions import StepFunctionsExecutions
        from mlops.intake.failures.retry import RetryService

        return RetryService(self.versions.trainings, self.registry, StepFunctionsExecutions.beside)

    def is_in_training(self, model: ModelMetadata) -> bool:
        """Whether the execution that trained a version still runs."""
        from mlops.infrastructure.aws.stepfunctions import has_ended
        from mlops.intake.executions import StepFunctionsExecutions
        from mlops.intake.trainings import training_of

        training = training_of(model, self.versions.trainings)
        executions = StepFunctionsExecutions(self.variable("TRAIN_MODEL_STATE_MACHINE_ARN"))
        execution = training and executions.find_training(training.execution_name)
        return bool(execution and not has_ended(execution.status))

    @cached_property
    def rollback_mailer(self) -> Mailer:
        """What emails approvers their links to the rollback page."""
        return self._mailer("ROLLBACK_BASE_URL")

    def _mailer(self, base_url: str) -> Mailer:
        from mlops.approval.mailer import Mailer

        return Mailer(self.variable("APPROVAL_TOPIC_ARN"), self.variable(base_url), self.link_signer)
