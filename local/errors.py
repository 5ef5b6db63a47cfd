"""What can go wrong around the local cloud, said in one sentence each."""


class LocalCloudError(Exception):
    """The local cloud cannot do what was asked; the message says what to do."""


class HookError(LocalCloudError):
    """The installed MiniStack is not the one that the corrections were written for."""


class StartError(LocalCloudError):
    """The emulator did not come up in time."""


class DeployError(LocalCloudError):
    """`sam build` or `sam deploy` failed; the message ends with its last lines."""
