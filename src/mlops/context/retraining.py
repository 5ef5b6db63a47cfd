"""The parts of retraining, for a stack and for plain files."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from mlops.context.files import FilesContext
from mlops.context.function_settings import PriceSettings
from mlops.context.training import TrainingContext
from mlops.dataset.limits import Limits
from mlops.infrastructure import environment

if TYPE_CHECKING:  # each is imported on first use: pandas is slow, and the page of a proposal needs no rows
    from mlops.intake.retraining.check import RetrainingCheck
    from mlops.intake.retraining.planning import RetrainingPlanner
    from mlops.intake.retraining.requests import RetrainingRequests
    from mlops.intake.retraining.start import RetrainingStart
    from mlops.intake.retraining.store import RetrainingStore
    from mlops.models.settings.group import GroupSettings


class RetrainingContext(TrainingContext):
    """The parts of a stack that propose and start retrainings."""

    @cached_property
    def retraining_store(self) -> RetrainingStore:
        """The records of retrainings."""
        from mlops.infrastructure.aws.dynamodb import DynamoDBTable
        from mlops.intake.retraining.store import RetrainingStore

        return RetrainingStore(DynamoDBTable(self.variable("REGISTRY_TABLE_NAME")))

    @cached_property
    def retraining_requests(self) -> RetrainingRequests:
        """What requests retrainings."""
        from mlops.intake.retraining.requests import RetrainingRequests

        return RetrainingRequests(self.retraining_store, self.registry, self.notifier, self.artifact_bucket)

    @cached_property
    def retraining_planner(self) -> RetrainingPlanner:
        """What makes training sets of accepted files and of labelled rows of the ledger."""
        from mlops.intake.answers.settings_file import read_group_settings
        from mlops.intake.retraining.planning import RetrainingPlanner
        from mlops.intake.retraining.source_rows import RowSources

        def settings_of(group: str) -> GroupSettings:
            return read_group_settings(self.data_bucket, group, self.datasets)

        price = environment.read(PriceSettings, self.variables).training_usd_per_hour
        sources = RowSources(self.datasets, self.ledger.files, self.label_files, self.ledger.batches)
        return RetrainingPlanner(sources, self.datasets.models, settings_of, self.limits, price)

    @cached_property
    def retraining_check(self) -> RetrainingCheck:
        """What proposes retrainings, or requests them where that is allowed."""
        from mlops.context.policies import policies_of_table
        from mlops.intake.retraining.check import RetrainingCheck
        from mlops.links.link import Purpose
        from mlops.links.page_links import PageLinks

        return RetrainingCheck(
            self.registry,
            self.retraining_planner,
            self.retraining_requests,
            policies_of_table(self.variable("POLICY_TABLE_NAME")),
            self.drift_archive,
            self.quality_archive,
            self.notifier,
            PageLinks(self.variable("RETRAINING_BASE_URL"), self.link_signer, Purpose.RETRAINING),
        )

    @cached_property
    def retraining_start(self) -> RetrainingStart:
        """What makes the training set of a requested retraining, and starts its training."""
        from mlops.intake.retraining.start import RetrainingStart

        return RetrainingStart(self.retraining_store, self.retraining_planner, self.training_intake)


def planner_of_files(context: FilesContext) -> RetrainingPlanner:
    """Return what makes training sets of plain files, by the settings of the champion's training."""
    from mlops.intake.retraining.planning import RetrainingPlanner
    from mlops.intake.retraining.source_rows import RowSources
    from mlops.models.settings.group import GroupSettings

    def settings_of(group: str) -> GroupSettings:
        champion = context.registry.champion(group)
        return champion.settings if champion else GroupSettings()

    ledger = context.ledger
    sources = RowSources(context.datasets, ledger.files, context.label_files, ledger.batches)
    return RetrainingPlanner(sources, context.datasets.models, settings_of, Limits())
