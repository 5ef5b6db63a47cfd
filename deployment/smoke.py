"""`python -m deployment.smoke` (`make smoke STACK=...`): deploy a new stack, use it once, and remove it."""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from deployment.account import Account, open_account
from deployment.approver_queue import approver_queue
from deployment.errors import DeploymentError
from deployment.plan import Plan, make_plan
from deployment.removal import remove_stack
from deployment.run import REPOSITORY, deploy
from deployment.settings import read_settings
from deployment.template import read_template
from deployment.walk import GROUP, Walk

FAULTS = (DeploymentError, BotoCoreError, ClientError, HTTPError, subprocess.CalledProcessError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the smoke test; return 0 when the stack did all of it and nothing of it is left."""
    options = make_parser().parse_args(arguments)
    try:
        account = open_account(options.region or None)
        plan = make_smoke_plan(account, options.stack, options.approver)
    except FAULTS as error:
        print(error, file=sys.stderr)
        return 1
    is_removed = True
    try:
        deploy(plan)
        _use(account, plan)
        is_working = True
    except FAULTS as error:
        print(f"The smoke test failed: {error}", file=sys.stderr)
        is_working = False
    finally:
        if options.keep == "yes":
            print(f"KEEP=yes: the stack {plan.stack_name} is left, and costs money until it is removed.")
        else:
            is_removed = _remove(account, plan.stack_name)
    return 0 if is_working and is_removed else 1


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; an empty value counts as missing."""
    parser = argparse.ArgumentParser(
        prog="python -m deployment.smoke", description="Test a new stack on AWS."
    )
    parser.add_argument("--stack", default="", help="name of the stack to make and to remove")
    parser.add_argument("--region", default="", help="AWS region; that of the environment when empty")
    parser.add_argument("--approver", default="", help="email address that confirms a subscription meanwhile")
    parser.add_argument("--keep", default="", help="yes: leave the stack, to look at a failure")
    return parser


def make_smoke_plan(account: Account, stack_name: str, approver: str) -> Plan:
    """Return the plan for a stack of that name.

    Raises
    ------
    DeploymentError
        The name is missing, belongs to a configuration of samconfig.toml or to a stack that exists, or the
        approver is missing.
    """
    if not stack_name:
        raise DeploymentError("Name a stack that does not exist yet, such as STACK=mlops-smoke.")
    path = REPOSITORY / "samconfig.toml"
    in_use = {read_settings(path, config).stack_name for config in ("default", "dev", "prod")}
    account.check_credentials()
    if stack_name in in_use or account.deployed(stack_name) is not None:
        raise DeploymentError(
            f"STACK={stack_name} is in use; the smoke test removes its stack, so name another."
        )
    settings = replace(
        read_settings(path, "default"), stack_name=stack_name, parameters={"LogRetentionDays": "7"}
    )
    template = read_template(REPOSITORY / "template.yaml")
    return make_plan(settings, template, account.region, None, {"ApproverEmail": approver}, {})


def _use(account: Account, plan: Plan) -> None:
    deployed = account.deployed(plan.stack_name)
    if deployed is None:
        raise DeploymentError(f"The stack {plan.stack_name} does not exist after its deployment.")
    outputs, approver = deployed.outputs, plan.parameters["ApproverEmail"]
    walk = Walk(account.session, outputs, REPOSITORY / "examples" / GROUP)
    name = f"{plan.stack_name}-approver"
    with approver_queue(account.session, name, outputs["ApprovalTopicArn"], approver) as queue:
        walk.confirm(approver)
        walk.train(queue)
    walk.check_metrics(walk.score())


def _remove(account: Account, stack_name: str) -> bool:
    try:
        remove_stack(account.session, stack_name)
    except FAULTS as error:
        if "does not exist" in str(error):  # the build failed
            return True
        print(f"Not everything of {stack_name} was removed, look in the console: {error}", file=sys.stderr)
        return False
    print(f"The stack {stack_name} was removed, with its buckets and tables.")
    return True


if __name__ == "__main__":
    sys.exit(main())
