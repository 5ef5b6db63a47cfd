"""What the AWS account has: credentials that work, and the stack as it was deployed before."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deployment.errors import DeploymentError

# A stack whose first creation failed: CloudFormation only deletes it.
_NEVER_CREATED = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")


@dataclass(frozen=True, slots=True)
class Deployed:
    """The parameters, tags and outputs of a stack that exists."""

    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """An AWS account in one region."""

    session: boto3.Session

    @property
    def region(self) -> str:
        """The region of the request, or else of the environment or the profile.

        Raises
        ------
        DeploymentError
            None of them names one.
        """
        if self.session.region_name is None:
            raise DeploymentError("No region is set: add REGION=eu-west-1, or set AWS_REGION.")
        return str(self.session.region_name)

    def check_credentials(self) -> None:
        """Call AWS once.

        Raises
        ------
        DeploymentError
            There are no credentials, they are not valid (any more), or AWS cannot be reached.
        """
        if self.session.get_credentials() is None:
            raise DeploymentError(
                "No AWS credentials were found: sign in with `aws sso login`, or set AWS_PROFILE."
            )
        try:
            self.session.client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise DeploymentError(f"The AWS credentials do not work in {self.region}: {error}") from error

    def deployed(self, stack_name: str) -> Deployed | None:
        """Return the stack as it is deployed; None before the first time.

        Raises
        ------
        DeploymentError
            The first creation failed, so that the stack must be deleted before.
        """
        try:
            answer = self.session.client("cloudformation").describe_stacks(StackName=stack_name)
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise DeploymentError(f"The stack {stack_name} cannot be read: {error}") from error
        (stack,) = answer["Stacks"]
        if stack["StackStatus"] in _NEVER_CREATED:
            raise DeploymentError(
                f"The stack {stack_name} is in {stack['StackStatus']}: delete it with "
                f"`sam delete --stack-name {stack_name} --region {self.region}`, and deploy again."
            )
        if stack["StackStatus"] == "REVIEW_IN_PROGRESS":
            return None
        parameters = stack.get("Parameters", [])
        return Deployed(
            {entry["ParameterKey"]: entry.get("ParameterValue", "") for entry in parameters},
            {entry["Key"]: entry["Value"] for entry in stack.get("Tags", [])},
            {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])},
        )


def open_account(region: str | None) -> Account:
    """Return the account of the AWS profile, in a region or, when None, that of the profile.

    Raises
    ------
    DeploymentError
        The profile cannot be used.
    """
    try:
        return Account(boto3.Session(region_name=region))
    except BotoCoreError as error:
        raise DeploymentError(f"The AWS profile cannot be used: {error}") from error
