"""Whether the champions of a deployed stack go on scoring after the upgrade."""

import sys
from collections.abc import Mapping

from botocore.exceptions import BotoCoreError, ClientError

from deployment.account import Account, Deployed
from deployment.errors import DeploymentError
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.store import RegistryStore
from mlops.use_cases.champion_versions import StoppedChampion, stopped_champions


def check_champions(account: Account, deployed: Deployed | None, libraries: Mapping[str, str]) -> None:
    """Refuse an upgrade whose layers could not load a champion.

    Raises
    ------
    DeploymentError
        A champion would stop; the message names it, and the versions that it needs.
    """
    if deployed is None or not {"RegistryTableName", "ArtifactBucketName"} <= set(deployed.outputs):
        return
    try:
        stopped = _stopped(account, deployed, libraries)
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"Whether the champions go on scoring was not checked: {error}\n")
        return
    if stopped:
        listed = "; ".join(f"{each.group} {each.version} was made with {each.problem}" for each in stopped)
        raise DeploymentError(
            f"These champions would stop scoring: {listed}. Train these groups again after the upgrade: "
            "add STOP_CHAMPIONS=yes to deploy nevertheless."
        )


def _stopped(account: Account, deployed: Deployed, libraries: Mapping[str, str]) -> list[StoppedChampion]:
    table = DynamoDBTable(deployed.outputs["RegistryTableName"], dynamodb=account.session.client("dynamodb"))
    registry = ModelRegistry(store=RegistryStore(table))
    return list(stopped_champions(registry, S3Objects(account.session.client("s3")), libraries))
