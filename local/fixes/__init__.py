"""Corrections to MiniStack 1.5.33, one per module.

Each module's docstring says what AWS does, what MiniStack does and what is changed; each has its own test in
`tests/local`. When MiniStack learns one of them, its module and its test are deleted.
"""

from local.fixes import (
    alarm_evaluation,
    callback_tasks,
    cloudwatch_namespace,
    distributed_map_jsonata,
    execution_context,
    http_api_routes,
    lambda_errors,
    mail_delivery,
    metric_dimensions,
    missing_objects,
    s3_event_version_id,
    s3_version_ranges,
    schedule_role,
    secure_transport,
    service_metrics,
    shared_layers,
    state_machine_role,
    topic_policy,
)

FIXES = (
    alarm_evaluation,
    callback_tasks,
    cloudwatch_namespace,
    distributed_map_jsonata,
    execution_context,
    http_api_routes,
    lambda_errors,
    mail_delivery,
    metric_dimensions,
    missing_objects,
    s3_event_version_id,
    s3_version_ranges,
    schedule_role,
    secure_transport,
    service_metrics,
    shared_layers,
    state_machine_role,
    topic_policy,
)


def install_fixes() -> None:
    """Apply every correction to the MiniStack of this process."""
    for fix in FIXES:
        fix.install()
