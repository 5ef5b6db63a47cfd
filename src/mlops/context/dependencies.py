"""What the Lambda functions work with: every environment variable and every part, in one place.

A handler takes `Dependencies` as its last parameter. Nothing is read and no client is made before the first
use, so that importing a handler stays cheap; what was built is kept for the next invocation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.context.function_settings import EndpointSettings, RetentionSettings, ShadowSettings
from mlops.context.retraining import RetrainingContext
from mlops.infrastructure import environment
from mlops.infrastructure.clock import utc_now

if TYPE_CHECKING:  # each is imported on first use, see `StackContext`
    from mlops.feature_store.freshness import ViewFreshness
    from mlops.feature_store.store import FeatureStore
    from mlops.ledger.files import LedgerFiles
    from mlops.ledger.shadow.archive import ShadowArchive
    from mlops.links.signer import LinkSigner
    from mlops.use_cases.batch_notification import BatchNotifier
    from mlops.use_cases.dashboard.sources import DashboardSources
    from mlops.use_cases.drift.alert_page import AlertPage
    from mlops.use_cases.drift.check_drift import NightlyCheck
    from mlops.use_cases.endpoints.follow_champion import EndpointPlanner
    from mlops.use_cases.model_cache import ModelCache
    from mlops.use_cases.predict.predict import Predictor
    from mlops.use_cases.quality.check_quality import QualityCheck
    from mlops.use_cases.quality.measure_quality import QualitySources
    from mlops.use_cases.results.page import ResultPage
    from mlops.use_cases.shadow.score_shadow import ShadowScoring
    from mlops.use_cases.webhook.delivery import Webhook


_MODELS_OF_PREDICT = 4


class Dependencies(RetrainingContext):
    """The parts of a stack for one Lambda function, and those that only functions need.

    Parameters
    ----------
    function
        The name of the function's folder: who acts, as the audit log names them.
    variables
        Default: the environment variables of the process, as they are at the first use of a part.
    """

    def __init__(
        self,
        function: str,
        variables: Mapping[str, str] | None = None,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(os.environ if variables is None else variables, actor=function, now=now)

    @property
    def upload_retention_days(self) -> int:
        """How long used files stay in the data bucket; 0 keeps them."""
        return environment.read(RetentionSettings, self.variables).upload_retention_days

    @cached_property
    def features(self) -> FeatureStore:
        """The feature store, without Athena: a function joins the features of a file itself."""
        from mlops.feature_store.factory import stack_features

        return stack_features(self.variables, self.objects, actor=self.actor, now=self.now)

    @cached_property
    def webhook(self) -> Webhook:
        """The address outside of the account that gets the subjects of notifications."""
        from mlops.infrastructure.aws.secretsmanager import read_secret
        from mlops.use_cases.webhook.delivery import Webhook

        secret_arn = self.variable("WEBHOOK_SECRET_ARN")
        return Webhook(lambda: read_secret(secret_arn), self.variable("STACK_NAME"), self.now)

    @cached_property
    def quality_sources(self) -> QualitySources:
        """What realised quality is measured from; the settings are those of `model.toml` now."""
        from mlops.context.quality import current_settings
        from mlops.use_cases.quality.measure_quality import QualitySources

        return QualitySources(
            self.registry,
            self.ledger.files,
            self.label_files,
            self.ledger.batches,
            self.objects,
            current_settings(self.datasets, self.data_bucket),
        )

    @cached_property
    def quality_check(self) -> QualityCheck:
        """What measures realised quality, and says when it dropped."""
        from mlops.use_cases.quality.check_quality import QualityCheck

        return QualityCheck(self.quality_sources, self.quality_archive, self.notifier, self.shadow_archive)

    @cached_property
    def drift_check(self) -> NightlyCheck:
        """The nightly check of inputs and predictions."""
        from mlops.use_cases.drift.alert_mailer import AlertMailer
        from mlops.use_cases.drift.check_drift import NightlyCheck

        base_url = self.variable("ALERT_BASE_URL")
        mailer = AlertMailer(self.variable("APPROVAL_TOPIC_ARN"), base_url, self.link_signer, self.now)
        batches, views = self.ledger.batches, self.view_freshness
        return NightlyCheck(self.drift_archive, self.registry, self.notifier, mailer, batches, views)

    @cached_property
    def view_freshness(self) -> ViewFreshness:
        """How new the values of feature views are."""
        from mlops.feature_store.freshness import ViewFreshness
        from mlops.feature_store.offline.state import ValueStates
        from mlops.feature_store.registry.versions import DefinitionStore
        from mlops.infrastructure.aws.dynamodb import DynamoDBTable

        table = DynamoDBTable(self.variable("REGISTRY_TABLE_NAME"))
        return ViewFreshness(DefinitionStore(table), ValueStates(table))

    @cached_property
    def dashboard_sources(self) -> DashboardSources:
        """What the custom widgets of the dashboard are drawn from."""
        from mlops.use_cases.dashboard.sources import DashboardSources

        archives, views = (self.drift_archive, self.quality_archive), self.view_freshness
        return DashboardSources(
            self.registry, self.run_store, self.ledger.batches, *archives, views, self.now
        )

    @cached_property
    def alert_page(self) -> AlertPage:
        """The page of a drift alert, for the approvers who have confirmed their subscription."""
        from mlops.infrastructure.aws.sns import confirmed_emails
        from mlops.use_cases.drift.alert_page import AlertPage

        topic_arn = self.variable("APPROVAL_TOPIC_ARN")
        return AlertPage(
            self.drift_archive,
            self.registry,
            self.link_signer,
            lambda: confirmed_emails(topic_arn),
            self.now,
        )

    @cached_property
    def models(self) -> ModelCache:
        """The models that were loaded for scoring; they stay loaded between invocations."""
        import tempfile

        from mlops.use_cases.model_cache import ModelCache

        return ModelCache(Path(tempfile.mkdtemp(prefix="models-")))

    @cached_property
    def shadow_archive(self) -> ShadowArchive:
        """How candidates agree with champions in shadow."""
        from mlops.ledger.shadow.archive import ShadowArchive

        return ShadowArchive(self.objects, self.artifact_bucket)

    @cached_property
    def shadow_rows(self) -> LedgerFiles:
        """The shadow predictions that are not in the ledger yet."""
        from mlops.ledger.files import BucketFiles
        from mlops.ledger.shadow.archive import ROWS_PREFIX

        return BucketFiles(self.objects, self.artifact_bucket, ROWS_PREFIX)

    @cached_property
    def shadow_scoring(self) -> ShadowScoring:
        """What scores batches with the candidate that waits for approval."""
        from mlops.use_cases.shadow.score_shadow import ShadowScoring

        settings = environment.read(ShadowSettings, self.variables)
        return ShadowScoring(
            self.registry,
            self.objects,
            self.models,
            self.shadow_archive,
            self.shadow_rows,
            settings.lambda_scoring_limit_bytes,
        )

    @cached_property
    def predictor(self) -> Predictor:
        """What answers requests to predict, with the models that were used last."""
        import tempfile

        from mlops.infrastructure.aws.sqs import send_message
        from mlops.use_cases.model_cache import ModelCache, ScoringModel
        from mlops.use_cases.predict.predict import Predictor

        models = ModelCache(Path(tempfile.mkdtemp(prefix="models-")), _MODELS_OF_PREDICT)
        queue_url = self.variable("REQUEST_QUEUE_URL")
        return Predictor(
            self.registry,
            lambda model: models.pipeline(ScoringModel(model.version, model.artifact), self.objects),
            lambda message: send_message(queue_url, message),
            self.now,
            lambda rows, settings: self.features.add_online(rows, settings),  # noqa: PLW0108  built when needed
        )

    @cached_property
    def endpoint_planner(self) -> EndpointPlanner:
        """What plans the endpoints of the groups."""
        from mlops.infrastructure.aws.sagemaker import SageMakerEndpoints
        from mlops.use_cases.endpoints.follow_champion import EndpointPlanner

        settings = environment.read(EndpointSettings, self.variables)
        return EndpointPlanner(
            self.registry,
            self.objects,
            self.notifier,
            SageMakerEndpoints(),
            self.artifact_bucket,
            self.training_source,
            settings.endpoint_name_prefix,
            settings.hosting,
            settings.groups,
        )

    @cached_property
    def batch_notifier(self) -> BatchNotifier:
        """What notifies people and systems of predictions."""
        from mlops.links.link import Purpose
        from mlops.links.page_links import PageLinks
        from mlops.use_cases.batch_notification import BatchNotifier

        links = PageLinks(self.variable("RESULT_BASE_URL"), self._result_signer, Purpose.RESULT)
        return BatchNotifier(
            self.notifier, lambda summary: links.make(summary.group, summary.folder, self.now())
        )

    @cached_property
    def result_page(self) -> ResultPage:
        """The page of a scored file."""
        from mlops.infrastructure.aws.s3 import download_address
        from mlops.use_cases.results.page import ResultPage

        return ResultPage(self.objects, self.artifact_bucket, self._result_signer, download_address, self.now)

    @cached_property
    def _result_signer(self) -> LinkSigner:
        """What signs links to results; not with the keys of approvals: scoring functions may read them."""
        return self._signer("RESULT_SIGNING_SECRET_ARN")
