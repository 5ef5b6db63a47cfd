"""The local cloud: the whole stack on one machine, without an AWS account.

MiniStack answers the AWS calls; this package starts and stops it, adds SageMaker jobs that really run,
an inbox for the emails, pages to look at, and the corrections listed in `local.emulator.names`. Product
code never imports it: only endpoints and credentials in the environment differ.
"""

from local.cloud import LocalCloud, local_cloud

__all__ = ["LocalCloud", "local_cloud"]
