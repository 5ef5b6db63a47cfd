"""Rules of the template that no linter checks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

import pytest

from mlops.context.dependencies import Dependencies
from mlops.infrastructure import metric_names
from tests.infrastructure import template as t
from tests.statemachine.definition import Definition

METRICS = {v for k, v in vars(metric_names).items() if k.isupper() and k != "MODEL_GROUP_DIMENSION"}
NAMESPACE = {"Fn::Sub": "MLOps/${AWS::StackName}"}

each_function = pytest.mark.parametrize("logical_id", sorted(t.functions()))


@each_function
def test_a_function_is_named_once_everywhere(logical_id: str) -> None:
    name = t.snake_case(logical_id)
    assert t.functions()[logical_id]["CodeUri"] == f"functions/{name}/"
    assert (t.REPOSITORY / "functions" / name / "app.py").is_file()
    assert (t.REPOSITORY / "events" / f"{name}.json").is_file()
    assert (t.REPOSITORY / "tests" / "functions" / f"test_{name}.py").is_file()


@pytest.mark.parametrize("logical_id", [name for name in t.functions() if "Compiled" in name])
def test_a_function_for_compiled_models_differs_from_the_other_one_in_layers_alone(logical_id: str) -> None:
    own = {"Description", "Layers", "LoggingConfig"}
    compiled, other = (
        {key: value for key, value in t.functions()[name].items() if key not in own}
        for name in (logical_id, logical_id.replace("Compiled", ""))
    )
    assert compiled == other


def test_every_function_folder_and_event_belongs_to_a_function() -> None:
    names = {t.snake_case(logical_id) for logical_id in t.functions()}
    folders = {path.parent.name for path in (t.REPOSITORY / "functions").glob("*/app.py")}
    events = {path.name.split(".")[0] for path in (t.REPOSITORY / "events").glob("*.json")}
    assert folders == names
    assert events == names


@each_function
def test_a_function_keeps_its_log_for_a_while(logical_id: str) -> None:
    group = t.functions()[logical_id]["LoggingConfig"]["LogGroup"]["Ref"]
    assert group == logical_id.replace("Function", "LogGroup")
    assert t.resources("AWS::Logs::LogGroup")[group]["Properties"]["RetentionInDays"] == {
        "Ref": "LogRetentionDays"
    }


@each_function
def test_a_function_has_a_time_limit_and_says_what_it_does(logical_id: str) -> None:
    function = t.functions()[logical_id]
    assert function.get("Timeout", t.template()["Globals"]["Function"]["Timeout"]) <= 900
    assert function["Description"]


@each_function
def test_asynchronous_deliveries_end_in_a_dead_letter_queue(logical_id: str) -> None:
    function = t.functions()[logical_id]
    on_failure = function.get("EventInvokeConfig", {}).get("DestinationConfig", {}).get("OnFailure", {})
    kinds = {event["Type"]: event["Properties"] for event in function.get("Events", {}).values()}
    for kind in ("EventBridgeRule", "ScheduleV2"):
        if kind in kinds:
            assert kinds[kind]["DeadLetterConfig"]
            assert kinds[kind]["RetryPolicy"]["MaximumRetryAttempts"] > 0
            assert on_failure["Type"] == "SQS"
    if "SNS" in kinds:
        assert on_failure["Type"] == "SQS"


def test_state_machines_get_exactly_the_placeholders_that_they_use() -> None:
    for machine in t.resources("AWS::Serverless::StateMachine").values():
        definition = Definition.load(t.REPOSITORY / machine["Properties"]["DefinitionUri"])
        assert definition.placeholders == set(machine["Properties"]["DefinitionSubstitutions"])


def test_nothing_is_bound_to_the_partition_of_the_commercial_regions() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (t.REPOSITORY / "statemachine").glob("*.json")]
    for text in [*texts, (t.REPOSITORY / "template.yaml").read_text(encoding="utf-8")]:
        assert "arn:aws:" not in text


def test_nothing_has_a_physical_name_but_what_cannot_do_without() -> None:
    named = re.compile(r"(Bucket|Table|Topic|Queue|Function|StateMachine|Role|LogGroup|Alarm|Dashboard)Name$")
    resources = t.template()["Resources"]
    references = [{"Ref": name} for name in resources]
    for logical_id, resource in resources.items():
        stated = {key: value for key, value in resource["Properties"].items() if value not in references}
        names = [key for key in stated if named.search(key)]
        assert not names, f"{logical_id} sets {names}: two stacks would not fit one account"


def test_parameters_say_what_they_are_and_have_bounds() -> None:
    for name, parameter in t.template()["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        if parameter["Type"] == "Number":
            assert "MinValue" in parameter or "AllowedValues" in parameter, name
        assert "Default" in parameter or name == "ApproverEmail", name


# ── Metrics ──────────────────────────────────────────


def test_alarms_watch_metrics_that_are_published_under_dimensions_that_are_published() -> None:
    alarms = t.resources("AWS::CloudWatch::Alarm").values()
    watched = [metric for alarm in alarms for metric in t.watched(alarm["Properties"])]
    ours = [metric for metric in watched if metric["Namespace"] == NAMESPACE]
    assert {alarm["MetricName"] for alarm in ours} == {
        "ArrivalAlerts",
        "DriftAlerts",
        "DriftChecksCompleted",
        "QualityDrops",
        "ExecutionsFailed",
        "FeatureViewsStale",
        "UploadSweepsCompleted",
        "OldestApprovalSeconds",
        "ConfirmedApprovers",
        "ApprovalsAutomatic",
    }
    for alarm in ours:
        assert alarm["MetricName"] in METRICS
        assert "Dimensions" not in alarm


def test_every_alarm_tells_somebody_what_to_do() -> None:
    for name, alarm in t.resources("AWS::CloudWatch::Alarm").items():
        properties = alarm["Properties"]
        if name in ("ArrivalsAlarm", "DriftAlarm"):  # the check sends the email: one channel for one fact
            assert "AlarmActions" not in properties
            assert "OKActions" not in properties
        else:
            assert properties["AlarmActions"] == [{"Ref": "NotificationTopic"}]
        assert len(properties["AlarmDescription"].split(". ")) >= 2, properties["AlarmDescription"]


def test_a_missing_heartbeat_is_an_alarm_and_missing_drift_is_not() -> None:
    alarms = t.resources("AWS::CloudWatch::Alarm")
    assert alarms["DriftCheckMissingAlarm"]["Properties"]["TreatMissingData"] == "breaching"
    assert alarms["UploadSweepMissingAlarm"]["Properties"]["TreatMissingData"] == "breaching"
    assert alarms["DriftAlarm"]["Properties"]["TreatMissingData"] == "notBreaching"
    assert alarms["ArrivalsAlarm"]["Properties"]["TreatMissingData"] == "notBreaching"


def test_state_machines_publish_a_metric_that_exists() -> None:
    for path in (t.REPOSITORY / "statemachine").glob("*.asl.json"):
        task = Definition.load(path).states["Count failure"]
        for datum in task["Arguments"]["MetricData"]:
            assert datum["MetricName"] in METRICS
            assert {d["Name"] for d in datum.get("Dimensions", [])} <= {metric_names.MODEL_GROUP_DIMENSION}


# ── Environment ──────────────────────────────────────────


class UsedVariables(Mapping[str, str]):
    """An environment in which every variable is set, and that notes which ones are used."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return "1"

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def parts_of(name: str) -> set[str]:
    """The attributes of its dependencies that a handler uses."""
    source = ast.parse((t.REPOSITORY / "functions" / name / "app.py").read_text(encoding="utf-8"))
    attributes = (node for node in ast.walk(source) if isinstance(node, ast.Attribute))
    return {a.attr for a in attributes if isinstance(a.value, ast.Name) and a.value.id == "dependencies"}


@each_function
def test_a_handler_uses_the_variables_that_the_template_sets(logical_id: str, aws: None) -> None:
    name, variables = t.snake_case(logical_id), UsedVariables()
    dependencies = Dependencies(name, variables)
    parts = parts_of(name)
    assert parts, "a handler takes what it needs from its dependencies"
    for part in parts:
        getattr(dependencies, part)
    own = t.functions()[logical_id].get("Environment", {}).get("Variables", {})
    assert set(own) <= variables.names <= t.environment_of(t.functions()[logical_id])
