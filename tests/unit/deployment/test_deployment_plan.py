"""The commands of `make deploy`, as sam's own parser reads them, and what is refused before the build."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from samcli.cli.types import CfnParameterOverridesType, CfnTags

from deployment.account import Deployed
from deployment.errors import DeploymentError
from deployment.plan import Plan, make_plan
from deployment.settings import parse_parameters, parse_tags, read_settings
from deployment.template import read_template

REPOSITORY = Path(__file__).resolve().parents[3]
SAMCONFIG = REPOSITORY / "samconfig.toml"
APPROVER = {"ApproverEmail": "me@example.com"}


def planned(
    config: str = "default",
    region: str = "eu-west-1",
    deployed: Mapping[str, str] | None = None,
    requested: Mapping[str, str] = APPROVER,
    tags: str = "",
) -> Plan:
    template = read_template(REPOSITORY / "template.yaml")
    before = None if deployed is None else Deployed(deployed, {"team": "risk", "kept": "yes"})
    settings = read_settings(SAMCONFIG, config)
    return make_plan(settings, template, region, before, requested, parse_tags(tags))


def overrides(plan: Plan) -> dict[str, str]:
    """The parameters that sam reads in the command."""
    command = plan.deploy_command
    if "--parameter-overrides" not in command:
        return {}
    after = command[command.index("--parameter-overrides") + 1 :]
    texts = tuple(after[: after.index("--tags")] if "--tags" in after else after)
    return dict(CfnParameterOverridesType().convert(texts, None, None))


@pytest.mark.parametrize(("config", "days"), [("dev", "14"), ("prod", "365")])
def test_the_first_deployment_has_the_approver_and_the_parameters_of_samconfig(
    config: str, days: str
) -> None:
    plan = planned(config)
    assert overrides(plan) == {"LogRetentionDays": days, "ApproverEmail": "me@example.com"}
    assert plan.deploy_command[:4] == ["sam", "deploy", "--config-env", config]
    assert plan.deploy_command[4:8] == ["--stack-name", f"mlops-{config}", "--region", "eu-west-1"]
    assert "--no-confirm-changeset" in plan.deploy_command


def test_an_upgrade_passes_nothing_that_was_not_requested_so_that_all_values_stay() -> None:
    plan = planned(deployed={**APPROVER, "MinRows": "80"}, requested={})
    assert "--parameter-overrides" not in plan.deploy_command
    assert overrides(planned(deployed=APPROVER, requested={"MinRows": "90"})) == {"MinRows": "90"}


def test_values_with_spaces_and_quotes_arrive_whole() -> None:
    values = parse_parameters("""MinRows=80 DriftCheckSchedule="cron(0 3 * * ? *)" """)
    assert values == {"MinRows": "80", "DriftCheckSchedule": "cron(0 3 * * ? *)"}
    assert overrides(planned(requested={**APPROVER, **values})) == {**APPROVER, **values}


def test_a_request_wins_over_samconfig() -> None:
    plan = planned("prod", requested={**APPROVER, "LogRetentionDays": "731"})
    assert overrides(plan)["LogRetentionDays"] == "731"


def test_the_layers_are_built_for_the_processor_that_the_stack_has() -> None:
    assert planned().architecture == "x86_64"
    assert planned(requested={**APPROVER, "Architecture": "arm64"}).architecture == "arm64"
    assert planned(deployed={**APPROVER, "Architecture": "arm64"}, requested={}).architecture == "arm64"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"requested": {}}, r"add APPROVER=me@example\.com\.$"),
        ({"requested": {"ApproverEmail": "me"}}, "APPROVER=me is not one email address"),
        (
            {"region": "mars-north-1"},
            r"no scikit-learn 1\.9-0 training image in mars-north-1: choose another REGION",
        ),
        ({"config": "staging"}, "CONFIG=staging is not in samconfig.toml: choose one of default, dev, prod"),
    ],
)
def test_what_cannot_be_deployed_is_refused_in_one_sentence(changes: dict, message: str) -> None:
    with pytest.raises(DeploymentError, match=message) as refusal:
        planned(**changes)
    assert "\n" not in str(refusal.value)


def test_an_image_of_ones_own_works_in_every_region() -> None:
    image = {"TrainingImageUri": "1.dkr.ecr.mars-north-1.amazonaws.com/mine:1"}
    assert planned(region="mars-north-1", requested={**APPROVER, **image}).region == "mars-north-1"


def test_parameters_that_sam_cannot_read_are_refused() -> None:
    with pytest.raises(DeploymentError, match="write Name=value"):
        parse_parameters("MinRows")


def test_no_configuration_asks_or_contains_an_address() -> None:
    text = SAMCONFIG.read_text(encoding="utf-8")
    assert "@" not in text
    sections = {name: s for name, s in tomllib.loads(text).items() if isinstance(s, dict)}
    assert sorted(sections) == ["default", "dev", "prod"]
    assert not any(section["deploy"]["parameters"]["confirm_changeset"] for section in sections.values())


def test_tags_are_added_to_those_of_the_stack_which_sam_would_remove() -> None:
    command = planned(deployed=APPROVER, tags='team="credit risk" cost-centre=42').deploy_command
    written = tuple(command[command.index("--tags") + 1 :])
    assert CfnTags().convert(written, None, None) == {
        "team": "credit risk",
        "kept": "yes",
        "cost-centre": "42",
    }
    assert "--tags" not in planned().deploy_command
    with pytest.raises(DeploymentError, match="cannot be read: write name=value"):
        parse_tags("team")
