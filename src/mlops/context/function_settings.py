"""The variables that the deployment sets for functions, as records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops.use_cases.endpoints.plan import Hosting


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """The variables of `Dependencies.limits`; 0 = the default of the library."""

    max_upload_bytes: int = 0
    min_rows: int = 0


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """The variable of `Dependencies.upload_retention_days`."""

    upload_retention_days: int = 0


@dataclass(frozen=True, slots=True)
class ShadowSettings:
    """The variable of `Dependencies.shadow_scoring`: larger files are not scored in shadow."""

    lambda_scoring_limit_bytes: int


@dataclass(frozen=True, slots=True)
class MachineSettings:
    """The variables of `Dependencies.machine`; `spot_training` is `on` or `off`."""

    training_instance_type: str
    training_timeout_seconds: int
    spot_training: str = "off"
    spot_wait_seconds: int = 0
    training_usd_per_hour: float = 0.0
    tuning_parallel_jobs: int = 0


@dataclass(frozen=True, slots=True)
class PriceSettings:
    """The variable of the price of a training; 0 = the list price."""

    training_usd_per_hour: float = 0.0


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """The variables of `Dependencies.endpoint_planner`; the groups are separated by commas, * for all."""

    serverless_endpoint_groups: str
    endpoint_name_prefix: str
    endpoint_image_uri: str
    endpoint_memory_megabytes: int
    endpoint_max_concurrency: int

    @property
    def groups(self) -> frozenset[str]:
        """The groups that have an endpoint."""
        return frozenset(name.strip() for name in self.serverless_endpoint_groups.split(",") if name.strip())

    @property
    def hosting(self) -> Hosting:
        """How models are served."""
        from mlops.use_cases.endpoints.plan import Hosting

        return Hosting(self.endpoint_image_uri, self.endpoint_memory_megabytes, self.endpoint_max_concurrency)
