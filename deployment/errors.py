"""The error of a deployment."""


class DeploymentError(Exception):
    """The stack cannot be deployed so; the message is one sentence that says what to do."""
