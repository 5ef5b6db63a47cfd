"""`python -m deployment`: check, build, deploy; the exit code is 0 on success."""

import argparse
import subprocess
import sys
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from deployment.account import Account, Deployed, open_account
from deployment.adoption import Removed, adopt, find_removed, removed_of
from deployment.champions import check_champions
from deployment.errors import DeploymentError
from deployment.plan import Plan, make_plan
from deployment.run import REPOSITORY, deploy
from deployment.settings import parse_parameters, parse_tags, read_settings
from deployment.template import TemplateFacts, read_template


def main(arguments: list[str] | None = None) -> int:
    """Deploy, or say in one sentence why not."""
    options = make_parser().parse_args(arguments)
    try:
        planned, prepare = plan(options)
        deploy(planned, prepare=prepare)
    except DeploymentError as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        return error.returncode
    print("Confirm the subscription emails that a new approver gets: without them no link can be sent.")
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; an empty value counts as missing."""
    parser = argparse.ArgumentParser(prog="python -m deployment", description="Deploy the stack to AWS.")
    parser.add_argument("--config", default="", help="section of samconfig.toml; default when empty")
    parser.add_argument("--region", default="", help="AWS region; that of the environment when empty")
    parser.add_argument("--approver", default="", help="email address that approves models")
    parser.add_argument(
        "--parameters", default="", help="more parameters, such as 'MinRows=80 SpotTraining=on'"
    )
    parser.add_argument(
        "--tags", default="", help="tags of everything in the stack, such as 'team=risk cost-centre=42'"
    )
    parser.add_argument(
        "--stop-champions", default="", help="yes: deploy also when a champion could not be loaded any more"
    )
    parser.add_argument(
        "--adopt", default="", help="yes, or 'Name=..': go on with buckets and tables of a removed stack"
    )
    return parser


def plan(options: argparse.Namespace) -> tuple[Plan, Callable[[], None]]:
    """Return the plan for the options, and what is done after the build; nothing is changed here."""
    settings = read_settings(REPOSITORY / "samconfig.toml", options.config or "default")
    requested = parse_parameters(options.parameters)
    if options.approver:
        requested["ApproverEmail"] = options.approver
    account = open_account(options.region or settings.region)
    region = account.region
    account.check_credentials()
    template = read_template(REPOSITORY / "template.yaml")
    deployed = account.deployed(settings.stack_name)
    removed = removed_stack(options.adopt, account, settings.stack_name, deployed, template)
    if options.stop_champions != "yes":
        before = Deployed({}, {}, removed.outputs) if removed else deployed
        check_champions(account, before, template.libraries)
    if removed:
        requested = {**removed.parameters, **settings.parameters, **requested}
    planned = make_plan(settings, template, region, deployed, requested, parse_tags(options.tags))
    if removed is None:
        return planned, lambda: None
    names, document = removed.resources, template.document
    return planned, lambda: adopt(account.session, planned.stack_name, document, names, planned.parameters)


def removed_stack(
    requested: str, account: Account, stack_name: str, deployed: Deployed | None, template: TemplateFacts
) -> Removed | None:
    """Return what is taken over; None if nothing is, with a line where a removed stack left something."""
    if deployed is not None:
        if requested:
            raise DeploymentError(f"The stack {stack_name} exists already: leave ADOPT out.")
        return None
    try:
        removed = find_removed(account.session, stack_name, template.document)
    except (BotoCoreError, ClientError) as error:
        if requested == "yes":
            raise DeploymentError(f"The removed stacks cannot be read: {error}") from error
        removed = None
    if requested:
        return removed_of(requested, removed, template.document)
    if removed:
        names = ", ".join(removed.resources.values())
        print(f"A removed stack {stack_name} left {names}: ADOPT=yes goes on with them, if they still exist.")
    return None


if __name__ == "__main__":
    sys.exit(main())
