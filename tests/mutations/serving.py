"""The predict API, ranges and parts, labels, alerts and the ledger."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

_BODY = "src/mlops/use_cases/predict/request_body.py"
_KEYS = "src/mlops/links/signing_keys.py"
_TEMPLATE = "template.yaml"
_SCORING = "statemachine/run_inference.asl.json"
_REQUESTS = "tests/functions/test_predict.py::test_an_error_in_a_body_is_a_status_and_a_sentence"
_OF_THE_API = (
    "tests/infrastructure/test_protection.py"
    "::test_the_predict_api_is_authorised_by_iam_or_else_by_tokens_and_limited"
)
_MACHINES = "tests/statemachine/test_definitions.py::"
_PERMISSIONS = "tests/infrastructure/test_permissions.py::"
_ITEM_CONCURRENCY = '"MaxConcurrency": "{% ${ItemConcurrency} %}",\n      "ToleratedFailureCount": 0,'
_SEE_SOURCE = """            - Sid: KeepRanges
              Effect: Allow
              Action: [s3:GetObject, s3:PutObject, s3:AbortMultipartUpload]
              Resource: !Sub "${ArtifactBucket.Arn}/parts/*"
            - *see"""
_CALL = (
    "            Action: execute-api:Invoke\n            Resource: "
    "!Sub arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${PredictApi}/*"
)


def _weaker(name: str, file: str, old: str, new: str, *tests: str) -> Mutation:
    return Mutation(name, file, old, new, tests)


MUTATIONS = (
    _weaker("anyone may call the predict API", _TEMPLATE, "JWT, AWS_IAM]", "JWT, NONE]", _OF_THE_API),
    _weaker(
        "requests to predict are not limited",
        _TEMPLATE,
        "        ThrottlingRateLimit: !Ref PredictRateLimit\n",
        "",
        _OF_THE_API,
    ),
    _weaker(
        "a policy for the predict API reaches every route of it",
        _TEMPLATE,
        f"{_CALL}/POST/groups/*/predict",
        _CALL,
        _OF_THE_API,
    ),
    _weaker(
        "a request to predict has any size",
        _BODY,
        "if len(body) > MAX_REQUEST_BYTES:",
        "if False:",
        _REQUESTS,
    ),
    _weaker(
        "a request to predict has any number of rows",
        _BODY,
        "if not 1 <= len(rows) <= MAX_ROWS:",
        "if not rows:",
        _REQUESTS,
    ),
    _weaker(
        "a name that a request has twice takes the last value",
        _BODY,
        "if len(document) != len(pairs):",
        "if False:",
        _REQUESTS,
    ),
    _weaker(
        "the predict API writes requests into its log",
        "functions/predict/app.py",
        '"request answered", status',
        '"request answered", body=event["body"], status',
        "tests/functions/test_predict.py::test_no_value_of_a_row_is_logged",
    ),
    _weaker(
        "a file is merged although ranges of it are missing",
        _SCORING,
        _ITEM_CONCURRENCY,
        _ITEM_CONCURRENCY.replace(" 0,", " 5,"),
        f"{_MACHINES}test_a_map_tolerates_no_failure_and_catches_it",
    ),
    _weaker(
        "the cause of a failed range is lost",
        _SCORING,
        '"Error": "{% $failure.error %}",\n            "Cause"',
        '"Error": "ScoringError",\n            "Cause"',
        f"{_MACHINES}test_an_item_of_a_map_waits_for_a_function_that_may_run_and_fails_under_its_own_error",
    ),
    _weaker(
        "a deleted file looks like a fault of AWS to a range of it",
        _TEMPLATE,
        f"{_SEE_SOURCE}Files",
        f"{_SEE_SOURCE}Missing",
        f"{_PERMISSIONS}test_what_reads_objects_of_a_bucket_learns_when_one_of_them_is_missing",
    ),
    _weaker(
        "what explains a failure reads every execution of the account",
        _TEMPLATE,
        "${AWS::AccountId}:execution:*RunInferenceStateMachine-*",
        "${AWS::AccountId}:execution:*",
        f"{_PERMISSIONS}test_what_explains_a_failure_reads_the_executions_of_maps_and_no_others",
    ),
    _weaker(
        "a drift alert that is over is answered",
        "src/mlops/use_cases/drift/alert_page.py",
        '        if opened.is_over:\n            raise GoneError("This alert is over", _WHAT_NOW)\n',
        "",
        "tests/functions/test_answer_alert.py::test_an_alert_that_is_over_is_shown_without_a_form",
    ),
    _weaker(
        "every key that a secret ever had verifies links",
        _KEYS,
        'entries = [document.get("current"), document.get("previous")]',
        "entries = list(document.values())",
        "tests/unit/links/test_signing_keys.py::test_a_secret_has_two_keys_at_most",
    ),
    _weaker(
        "the name of the key in a signature is not looked at",
        _KEYS,
        'if key_id in ("", _key_id(key))',
        "if True",
        "tests/unit/links/test_signing_keys.py::test_a_signature_under_the_name_of_another_key_is_refused",
    ),
    _weaker(
        "texts are SQL in the ledger",
        "src/mlops/ledger/sql.py",
        "return quoted_text(value)",
        "return f\"'{value}'\"",
        "tests/unit/ledger/test_reading.py::test_an_id_is_text_and_never_sql",
    ),
)
