"""Data at rest, in transit and in logs, keys, and limits of the API."""

from __future__ import annotations

from functools import partial

from tests.mutations.mutation import Mutation

_TESTS = "tests/infrastructure/test_protection.py"


def _less(name: str, old: str, new: str, test: str) -> Mutation:
    return Mutation(name, "template.yaml", old, new, (f"{_TESTS}::{test}",))


_TLS = partial(_less, test="test_buckets_topics_and_queues_are_reached_over_tls_only")
_DEAD_LETTERS = """            Principal: {Service: [events.amazonaws.com, scheduler.amazonaws.com]}
            Action: [kms:GenerateDataKey, kms:Decrypt]
            Resource: "*"
"""
_THIS_ACCOUNT = "            Condition: {StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}}\n"
_ALARMS = f"""            Action: [kms:GenerateDataKey*, kms:Decrypt]
            Resource: "*"
{_THIS_ACCOUNT}"""
_EXPIRING_REQUESTS = "\n      TimeToLiveSpecification: {AttributeName: expires_at_epoch"
_AUTOMATIC = """its model.toml say so too; on or off.
    Default: "off\""""
_SIGNING_KEYS = """Keys that sign approval links; `current` signs, `previous` (when present) still verifies
      KmsKeyId: *theKey
"""
_QUEUE = """      MessageRetentionPeriod: 1209600
      KmsMasterKeyId: *theKey

  UploadDeadLetterQueuePolicy:"""

MUTATIONS = (
    _less(
        "dead letters need a source account that is not stated",
        _DEAD_LETTERS,
        _DEAD_LETTERS + _THIS_ACCOUNT,
        "test_dead_letters_are_encrypted_without_a_condition_that_their_sender_does_not_meet",
    ),
    _less(
        "schedules may not use the key",
        "Principal: {Service: [events.amazonaws.com, scheduler.amazonaws.com]}",
        "Principal: {Service: events.amazonaws.com}",
        "test_the_key_is_rotated_and_used_by_three_services",
    ),
    _less(
        "alarms of any account use the key",
        _ALARMS,
        _ALARMS.removesuffix(_THIS_ACCOUNT),
        "test_alarms_use_the_key_for_this_account_only",
    ),
    _less(
        "the key is not rotated",
        "EnableKeyRotation: true",
        "EnableKeyRotation: false",
        "test_the_key_is_rotated_and_used_by_three_services",
    ),
    _less(
        "signing keys have another key",
        _SIGNING_KEYS,
        _SIGNING_KEYS.removesuffix("      KmsKeyId: *theKey\n"),
        "test_the_keys_that_sign_links_are_random_and_encrypted_with_the_key_of_the_stack",
    ),
    _less(
        "dead letters are not encrypted",
        _QUEUE,
        _QUEUE.replace("      KmsMasterKeyId: *theKey\n", ""),
        "test_every_queue_is_encrypted_kept_two_weeks_and_watched",
    ),
    _TLS(
        "the data bucket refuses TLS instead of plain requests",
        'Resource: [!GetAtt DataBucket.Arn, !Sub "${DataBucket.Arn}/*"]\n'
        '            Condition: {Bool: {aws:SecureTransport: "false"}}',
        'Resource: [!GetAtt DataBucket.Arn, !Sub "${DataBucket.Arn}/*"]\n'
        '            Condition: {Bool: {aws:SecureTransport: "true"}}',
    ),
    _TLS(
        "the objects of the artifact bucket are read without TLS",
        'Resource: [!GetAtt ArtifactBucket.Arn, !Sub "${ArtifactBucket.Arn}/*"]',
        "Resource: [!GetAtt ArtifactBucket.Arn]",
    ),
    _TLS(
        "links are published without TLS",
        'Principal: "*"\n            Action: sns:Publish\n            Resource: !Ref ApprovalTopic',
        'Principal: "*"\n            Action: sns:Subscribe\n            Resource: !Ref ApprovalTopic',
    ),
    _TLS(
        "undelivered events are sent without TLS",
        "Action: sqs:*\n            Resource: !GetAtt UploadDeadLetterQueue.Arn",
        "Action: sqs:PurgeQueue\n            Resource: !GetAtt UploadDeadLetterQueue.Arn",
    ),
    _less(
        "everyone sends to the dead-letter queue",
        "Principal: {Service: events.amazonaws.com}\n            Action: sqs:SendMessage\n"
        "            Resource: !GetAtt UploadDeadLetterQueue.Arn",
        'Principal: {Service: "*"}\n            Action: sqs:SendMessage\n'
        "            Resource: !GetAtt UploadDeadLetterQueue.Arn",
        "test_resource_policies_let_in_named_services_only",
    ),
    _less(
        "everyone may predict",
        "!If [HasJwtIssuer, JWT, AWS_IAM]",
        "!If [HasJwtIssuer, JWT, NONE]",
        "test_the_predict_api_is_authorised_by_iam_or_else_by_tokens_and_limited",
    ),
    _less(
        "buckets may be public",
        "RestrictPublicBuckets: true",
        "RestrictPublicBuckets: false",
        "test_buckets_are_private_encrypted_versioned_and_kept",
    ),
    _less(
        "objects may belong to who wrote them",
        "ObjectOwnership: BucketOwnerEnforced",
        "ObjectOwnership: ObjectWriter",
        "test_buckets_are_private_encrypted_versioned_and_kept",
    ),
    _less(
        "requests for approval are not encrypted",
        "SSESpecification: *encryptedTable" + _EXPIRING_REQUESTS,
        "SSESpecification: {SSEEnabled: false}" + _EXPIRING_REQUESTS,
        "test_tables_are_kept_encrypted_and_recoverable",
    ),
    _less(
        "the second approver gets every link",
        "FilterPolicy: {approver: [!Ref SecondApproverEmail]}",
        "FilterPolicy: {approver: [!Ref ApproverEmail, !Ref SecondApproverEmail]}",
        "test_topics_are_encrypted_and_approval_mails_reach_one_person_each",
    ),
    _less(
        "access logs contain the path with the link",
        "$context.routeKey",
        "$context.path",
        "test_access_logs_contain_nothing_of_a_link",
    ),
    _less(
        "requests are not throttled",
        "      DefaultRouteSettings: {ThrottlingBurstLimit: 100, ThrottlingRateLimit: 50}\n",
        "      DefaultRouteSettings: {DetailedMetricsEnabled: true}\n",
        "test_requests_to_the_api_are_throttled",
    ),
    _less(
        "logs of executions contain their data",
        "IncludeExecutionData: false",
        "IncludeExecutionData: true",
        "test_state_machines_log_errors_without_the_data_of_executions",
    ),
    _less(
        "executions are not logged",
        "Level: ERROR",
        'Level: "OFF"',
        "test_state_machines_log_errors_without_the_data_of_executions",
    ),
    _less(
        "models may be approved automatically by default",
        _AUTOMATIC,
        _AUTOMATIC.replace('"off"', '"on"'),
        "test_approval_is_by_people_unless_a_parameter_says_otherwise",
    ),
    Mutation(
        "the dashboard searches an unquoted namespace",
        "template.yaml",
        r"""{\"MLOps/${AWS::StackName}\",ModelGroup} MetricName=\"DriftScore\"""",
        r"""{MLOps/${AWS::StackName},ModelGroup} MetricName=\"DriftScore\"""",
        (
            "tests/infrastructure/test_dashboard.py::test_every_metric_is_drawn_and_every_drawn_one_is_published_under_its_dimensions",
        ),
    ),
)
