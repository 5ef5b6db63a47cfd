"""Copies new values of features into the online store, and counts the views without new values.

Started on a schedule by EventBridge Scheduler. Reads the files of features in the artifact bucket; writes the
online values, the progress of each view in the registry table, and metrics. A repeated call is harmless.
Raises FeatureStoreError when a view could not be copied; the other views were.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from mlops.context.dependencies import Dependencies
from mlops.use_cases.materialize_features import materialize_features

logger = Logger()
DEPENDENCIES = Dependencies("materialize_features")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, dependencies: Dependencies = DEPENDENCIES
) -> dict[str, Any]:
    """Copy what is not copied yet; return what was done for each view."""
    outcomes = materialize_features(dependencies.features, dependencies.notifier, dependencies.now())
    views = [outcome.to_dict() for outcome in outcomes]
    logger.info("features materialized", views=views)
    return {"views": views}
