"""What the functions of intake and training work with, and the checks that find what was lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.context.function_settings import LimitSettings, MachineSettings
from mlops.context.stack import StackContext
from mlops.dataset.limits import Limits
from mlops.infrastructure import environment
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.upload_events import Upload, s3_event

if TYPE_CHECKING:  # each is imported on first use, see `StackContext`
    from mlops.infrastructure.aws.stepfunctions import ItemFailure
    from mlops.intake.executions import StepFunctionsExecutions
    from mlops.intake.failures.watch_trainings import TrainingWatch
    from mlops.intake.ports import IntakePorts
    from mlops.pipelines.jobs.training_job import Machine
    from mlops.pipelines.jobs.trial_jobs import TrialJobs
    from mlops.use_cases.record_failure import FailureRecorder


class TrainingContext(StackContext):
    """A stack with the parts that take files in and train from them."""

    @cached_property
    def limits(self) -> Limits:
        """How large and how small an uploaded file may be."""
        settings = environment.read(LimitSettings, self.variables)
        default = Limits()
        return Limits(
            min_rows=settings.min_rows or default.min_rows,
            max_expanded_bytes=settings.max_upload_bytes or default.max_expanded_bytes,
        )

    @cached_property
    def machine(self) -> Machine:
        """What the deployment lets training jobs run on."""
        from mlops.pipelines.jobs.training_job import Machine

        settings = environment.read(MachineSettings, self.variables)
        return Machine(
            instance_type=settings.training_instance_type,
            max_runtime_seconds=settings.training_timeout_seconds,
            use_spot=settings.spot_training == "on",
            max_wait_seconds=settings.spot_wait_seconds,
            usd_per_hour=settings.training_usd_per_hour,
            parallel_trials=settings.tuning_parallel_jobs,
        )

    @property
    def training_source(self) -> Path:
        """The directory with the code that training jobs run."""
        return Path(self.variables.get("TRAINING_SOURCE_DIRECTORY", "/opt/training"))

    @cached_property
    def trial_jobs(self) -> TrialJobs:
        """The training jobs of tuning jobs."""
        from mlops.pipelines.jobs.sagemaker import SageMakerTrialJobs

        return SageMakerTrialJobs()

    @cached_property
    def failed_item(self) -> Callable[[str], ItemFailure | None]:
        """What finds why an item of an execution failed."""
        from mlops.infrastructure.aws.stepfunctions import failed_item

        return failed_item

    @cached_property
    def failure_recorder(self) -> FailureRecorder:
        """What records failed trainings and emails a link that starts them again."""
        from mlops.links.link import Purpose
        from mlops.links.page_links import PageLinks
        from mlops.use_cases.record_failure import FailureRecorder

        links = PageLinks(self.variable("RETRY_BASE_URL"), self.link_signer, Purpose.RETRY)
        return FailureRecorder(self.run_store, self.versions.trainings, self.notifier, links)

    @cached_property
    def training_watch(self) -> TrainingWatch:
        """What finds trainings whose execution has ended without reporting it."""
        from mlops.intake.executions import StepFunctionsExecutions
        from mlops.intake.failures.watch_trainings import TrainingWatch

        executions = StepFunctionsExecutions(self.variable("TRAIN_MODEL_STATE_MACHINE_ARN"))
        return TrainingWatch(self.versions.trainings, self.registry, executions, self.failure_recorder)

    @cached_property
    def intake(self) -> IntakePorts:
        """Intake's ports for a function that starts every state machine."""
        from mlops.intake.executions import StepFunctionsExecutions

        names = ("TRAIN_MODEL", "RUN_INFERENCE", "VALIDATE_PARTS")
        return self._intake(
            StepFunctionsExecutions(*(self.variable(f"{name}_STATE_MACHINE_ARN") for name in names))
        )

    @cached_property
    def training_intake(self) -> IntakePorts:
        """Intake's ports for a function that starts trainings only."""
        from mlops.intake.executions import StepFunctionsExecutions

        return self._intake(StepFunctionsExecutions(self.variable("TRAIN_MODEL_STATE_MACHINE_ARN")))

    def _intake(self, executions: StepFunctionsExecutions) -> IntakePorts:
        from mlops.intake.ports import IntakePorts

        return IntakePorts(
            self.objects,
            self.versions,
            self.registry,
            executions,
            self.notifier,
            self.artifact_bucket,
            self.policies,
            self.ledger.batches,
            self.features,
        )

    @cached_property
    def start_intake(self) -> Callable[[Upload], None]:
        """What starts the function that receives uploads, without waiting for its end."""
        from mlops.infrastructure.aws.account.lambda_functions import start_function

        name = self.variable("RECEIVE_UPLOAD_FUNCTION_NAME")
        return lambda upload: start_function(name, s3_event(upload), functions=self.lambda_client)

    @cached_property
    def lambda_client(self) -> Any:
        """The boto3 client of AWS Lambda."""
        return client("lambda")
