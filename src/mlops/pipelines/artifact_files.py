"""The names of the files of a model artifact, for all that write or read one.

The files that only one module reads, such as those of skops, are named there.
"""

from __future__ import annotations

MANIFEST = "manifest.json"
SCHEMA = "schema.json"
METRICS = "metrics.json"
BASELINE = "baseline_statistics.json"
TRAINING_RESULT = "training_result.json"
EVALUATION_DETAILS = "evaluation_details.json"
MODEL_CARD = "model_card.html"
PLOTS_FOLDER = "plots"  # of a registered version
ROW_KEYS = "row_keys.npz"
COMPILED = "compiled.npz"
COMPILED_BOOSTER = "compiled.ubj"
