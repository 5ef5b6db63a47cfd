"""Entry point of a SageMaker processing job that scores a file too large for a Lambda, by the same code.

The request is the JSON document of the input `request`; the variables are those of the scoring Lambda. The
folder of this file is the training source.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from pathlib import Path

from train import BUNDLE, failure_sentence, install_missing, unpacked_library

_MESSAGE_CHARACTERS = 1024


def main() -> int:
    """Score; after a failure write one sentence for SageMaker and the traceback to the log."""
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    with unpacked_library():
        try:
            request = base / "processing" / "input" / "request" / "request.json"
            run(json.loads(request.read_text(encoding="utf-8")))
        except Exception as error:  # noqa: BLE001  any error becomes the reason of the failed job
            traceback.print_exc()
            message = base / "output" / "message"
            message.parent.mkdir(parents=True, exist_ok=True)
            message.write_text(failure_sentence(error)[:_MESSAGE_CHARACTERS], encoding="utf-8")
            return 1
    return 0


def run(document: dict[str, object]) -> None:
    """Score the requested file and print the summary."""
    with tempfile.TemporaryDirectory() as scratch:
        # the algorithm is in the model, which is not downloaded yet: XGBoost is installed in any case
        install_missing(BUNDLE / "wheels", Path(scratch) / "packages", with_xgboost=True)
        from mlops.context.dependencies import Dependencies  # noqa: PLC0415
        from mlops.use_cases.model_cache import ModelCache  # noqa: PLC0415
        from mlops.use_cases.score_batch import ScoringRequest, score_batch  # noqa: PLC0415
        from mlops.use_cases.scoring_cost import CostMeter  # noqa: PLC0415

        dependencies = Dependencies("run_inference")
        summary = score_batch(
            ScoringRequest.from_dict(document),
            dependencies.objects,
            artifact_bucket=dependencies.artifact_bucket,
            models=ModelCache(Path(scratch) / "models"),
            notify=dependencies.batch_notifier,
            now=dependencies.now(),
            engine="job",
            meter=CostMeter.of_job(
                os.environ.get("TRAINING_INSTANCE_TYPE", ""),
                float(os.environ.get("TRAINING_USD_PER_HOUR", "0")),
            ),
        )
    # the log of the job; the name of the file is not for logs
    print(f"batch {summary.batch_id}: {summary.n_scored} of {summary.n_rows} rows scored")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
