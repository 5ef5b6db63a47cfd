"""Train, approve, serve and watch tabular models: the library behind the serverless MLOps application.

Each capability is a package of its own: `dataset`, `pipelines`, `monitoring`, `registry`, `approval`,
`experiment`, `feature_store`; `models` holds the data structures they exchange and `infrastructure` the
adapters to AWS. Importing `mlops` itself imports nothing else.
"""

__version__ = "0.1.0"
