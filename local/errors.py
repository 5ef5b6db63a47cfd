"""The errors of the local cloud; each message is one sentence."""


class LocalCloudError(Exception):
    """The local cloud cannot do what was requested; the message says what to do."""


class HookError(LocalCloudError):
    """The installed MiniStack is not the one that the corrections were written for."""


class SettingError(LocalCloudError):
    """A setting in the environment is not acceptable."""


class StartError(LocalCloudError):
    """The emulator did not come up in time."""


class DeployError(LocalCloudError):
    """`sam build` or `sam deploy` failed; the message ends with its last lines."""
