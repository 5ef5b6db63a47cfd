"""SageMaker jobs: their requests, costs and failures."""
