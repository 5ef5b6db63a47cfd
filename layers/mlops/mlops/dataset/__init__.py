"""Data files: reading them, checking them, remembering them.

`validate` judges a file, `read_table` reads it as `validate` understood it, `learn_contract` writes down what
the files of a model group look like.
"""

from mlops.dataset.contracts import learn_contract
from mlops.dataset.limits import Limits
from mlops.dataset.reading import read_table
from mlops.dataset.validation import validate

__all__ = ["Limits", "learn_contract", "read_table", "validate"]
