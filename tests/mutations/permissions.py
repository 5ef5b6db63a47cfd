"""Permissions that are wider than the code and the jobs need."""

from __future__ import annotations

from functools import partial

from tests.mutations.mutation import Mutation

_TESTS = "tests/infrastructure/test_permissions.py"
_MACHINE = "statemachine/train_model.asl.json"


def _wider(name: str, old: str, new: str, test: str, file: str = "template.yaml") -> Mutation:
    return Mutation(name, file, old, new, (f"{_TESTS}::{test}",))


_TABLE = partial(_wider, test="test_the_actions_on_a_table_are_those_of_the_modules_that_own_it")
_TRAINING = partial(_wider, test="test_a_training_job_reads_what_it_learns_from_and_writes_its_own_prefix")
_CHANGE_REGISTRY = """Sid: ChangeRegistry
              Effect: Allow
              Action: [dynamodb:GetItem, dynamodb:PutItem, """
_CHANGE_APPROVALS = """Sid: ChangeApprovals
              Effect: Allow
              Action: [dynamodb:GetItem, dynamodb:PutItem"""
_READ_POLICY = """Sid: ReadPolicy
              Effect: Allow
              Action: dynamodb:GetItem"""
_RECORD_FAILURES = """Sid: RecordFailures
              Effect: Allow
              Action: [dynamodb:GetItem, dynamodb:PutItem, dynamodb:UpdateItem, dynamodb:Query]"""
_ROW_KEYS = """                  - !Sub "${ArtifactBucket.Arn}/row-keys/*"
"""
_TRAINING_PASSES = """Resource: !GetAtt TrainingJobRole.Arn
              Condition: {StringEquals: {iam:PassedToService: sagemaker.amazonaws.com}}"""
_PASS_TEST = "test_a_state_machine_passes_the_role_of_its_own_jobs_to_sagemaker_and_no_other"
_TRUST = """            Action: sts:AssumeRole
            Condition: {StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}}
"""
_TRAINING_WRITES = """                Action: s3:PutObject
                Resource: !Sub "${ArtifactBucket.Arn}/training/*\""""
_TRAINING_METRICS = """  # PutMetricData has no resources; the namespace restricts it
                Condition: {StringEquals: {cloudwatch:namespace: /aws/sagemaker/TrainingJobs}}
"""

MUTATIONS = (
    _wider(
        "registry writers delete items",
        _CHANGE_REGISTRY,
        f"{_CHANGE_REGISTRY}dynamodb:DeleteItem, ",
        "test_no_role_may_remove_items_of_a_table_or_objects_of_the_system",
    ),
    _TABLE(
        "registry writers check items", _CHANGE_REGISTRY, f"{_CHANGE_REGISTRY}dynamodb:ConditionCheckItem, "
    ),
    _wider(
        "registry writers scan the table",
        _CHANGE_REGISTRY,
        f"{_CHANGE_REGISTRY}dynamodb:Scan, ",
        "test_no_role_scans_a_table",
    ),
    _wider(
        "the function that explains failures invokes functions",
        _RECORD_FAILURES,
        _RECORD_FAILURES.replace("Query]", "Query, lambda:InvokeFunction]"),
        "test_a_function_may_do_nothing_that_its_code_paths_do_not_call",
    ),
    _wider(
        "approval functions set attributes of the registry",
        _CHANGE_REGISTRY,
        f"{_CHANGE_REGISTRY}dynamodb:UpdateItem, ",
        "test_attributes_of_the_registry_are_set_by_those_that_list_a_group_or_close_a_training",
    ),
    _TABLE(
        "approval functions update requests",
        _CHANGE_APPROVALS,
        f"{_CHANGE_APPROVALS}, dynamodb:UpdateItem",
    ),
    _wider(
        "approval functions query all requests",
        _CHANGE_APPROVALS,
        f"{_CHANGE_APPROVALS}, dynamodb:Query",
        "test_requests_are_found_by_the_index_of_the_open_ones_only",
    ),
    _wider(
        "functions that read the policies write them",
        _READ_POLICY,
        _READ_POLICY.replace("dynamodb:GetItem", "[dynamodb:GetItem, dynamodb:PutItem]"),
        "test_no_function_or_job_may_write_the_policies_and_those_that_decide_read_them",
    ),
    _wider(
        "intake writes the whole artifact bucket",
        'Resource: [!Sub "${ArtifactBucket.Arn}/datasets/*", !Sub "${ArtifactBucket.Arn}/quarantine/*"]',
        'Resource: !Sub "${ArtifactBucket.Arn}/*"',
        "test_objects_are_written_below_named_prefixes_of_the_artifact_bucket_only",
    ),
    _TRAINING(
        "training jobs write the whole artifact bucket",
        _TRAINING_WRITES,
        _TRAINING_WRITES.replace("/training/*", "/*"),
    ),
    _TRAINING(
        "training jobs read the data bucket",
        _ROW_KEYS,
        _ROW_KEYS + _ROW_KEYS.replace("ArtifactBucket.Arn}/row-keys", "DataBucket.Arn}"),
    ),
    _wider(
        "training jobs publish emails",
        _TRAINING_METRICS,
        f"{_TRAINING_METRICS}              - *mail\n",
        "test_a_training_job_reaches_nothing_but_objects_logs_metrics_and_its_image",
    ),
    _wider(
        "training jobs publish metrics of any namespace",
        _TRAINING_METRICS,
        _TRAINING_METRICS.splitlines(keepends=True)[0],
        "test_a_training_job_reaches_nothing_but_objects_logs_metrics_and_its_image",
    ),
    _wider(
        "scoring jobs read the whole data bucket",
        '                  - !Sub "${DataBucket.Arn}/*/inference/*"\n',
        '                  - !Sub "${DataBucket.Arn}/*"\n',
        "test_a_scoring_job_reads_files_to_score_and_models_and_writes_what_the_function_writes",
    ),
    _wider(
        "any account's SageMaker assumes the roles of jobs",
        _TRUST,
        _TRUST.splitlines(keepends=True)[0],
        "test_the_role_of_a_job_is_assumed_by_sagemaker_for_this_account_only",
    ),
    _wider(
        "the role of trainings is passed to any service",
        _TRAINING_PASSES,
        _TRAINING_PASSES.splitlines()[0],
        _PASS_TEST,
    ),
    _wider(
        "trainings run with the role of scoring jobs",
        "TrainingJobRoleArn: !GetAtt TrainingJobRole.Arn",
        "TrainingJobRoleArn: !GetAtt ScoringJobRole.Arn",
        _PASS_TEST,
    ),
    _wider(
        "training jobs have a network",
        '        "EnableNetworkIsolation": true,\n        "EnableManaged',
        '        "EnableManaged',
        "test_training_and_its_trials_run_without_a_network",
        _MACHINE,
    ),
    _wider(
        "trials have a network",
        '          "EnableNetworkIsolation": true,\n',
        '          "EnableNetworkIsolation": false,\n',
        "test_training_and_its_trials_run_without_a_network",
        _MACHINE,
    ),
    _wider(
        "functions answer tasks in every way",
        "Action: states:SendTaskSuccess",
        "Action: states:SendTask*",
        "test_a_policy_statement_is_as_narrow_as_its_actions_allow",
    ),
    _wider(
        "every function may be invoked",
        "                - !GetAtt ListRangesFunction.Arn\n"
        "                - !GetAtt ScoreRangeFunction.Arn\n",
        '                - "*"\n',
        "test_a_policy_statement_is_as_narrow_as_its_actions_allow",
    ),
    _wider(
        "intake reads the tags of objects",
        "Action: [s3:GetObject, s3:GetObjectVersion, s3:DeleteObjectVersion]\n"
        '              Resource: !Sub "${DataBucket.Arn}/*"',
        "Action: [s3:GetObject, s3:GetObjectVersion, s3:DeleteObjectVersion, s3:GetObjectTagging]\n"
        '              Resource: !Sub "${DataBucket.Arn}/*"',
        "test_no_function_reads_or_writes_the_tags_of_objects",
    ),
    _wider(
        "a schedule may not encrypt its dead letters",
        "        - !Ref CheckDriftFunctionEveryNightRole\n        - !Ref MergePred",
        "        - !Ref MergePred",
        "test_schedules_may_encrypt_what_they_could_not_deliver",
    ),
)
