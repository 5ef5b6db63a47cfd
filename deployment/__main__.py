"""`python -m deployment`: check, build, deploy; the exit code is 0 on success."""

import argparse
import subprocess
import sys

from deployment.account import open_account
from deployment.champions import check_champions
from deployment.errors import DeploymentError
from deployment.plan import Plan, make_plan
from deployment.run import REPOSITORY, deploy
from deployment.settings import parse_parameters, parse_tags, read_settings
from deployment.template import read_template


def main(arguments: list[str] | None = None) -> int:
    """Deploy, or say in one sentence why not."""
    options = make_parser().parse_args(arguments)
    try:
        deploy(plan(options))
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
    return parser


def plan(options: argparse.Namespace) -> Plan:
    """Return the plan for the options; reads the account and changes nothing."""
    settings = read_settings(REPOSITORY / "samconfig.toml", options.config or "default")
    requested = parse_parameters(options.parameters)
    if options.approver:
        requested["ApproverEmail"] = options.approver
    account = open_account(options.region or settings.region)
    region = account.region
    account.check_credentials()
    template = read_template(REPOSITORY / "template.yaml")
    deployed = account.deployed(settings.stack_name)
    if options.stop_champions != "yes":
        check_champions(account, deployed, template.libraries)
    return make_plan(settings, template, region, deployed, requested, parse_tags(options.tags))


if __name__ == "__main__":
    sys.exit(main())
