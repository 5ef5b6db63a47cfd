"""HTTP requests that are signed with the caller's AWS credentials."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from mlops.infrastructure.extras import require_package


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The status and the body of a response."""

    status: int
    body: bytes


def post_json(url: str, body: bytes) -> HttpAnswer:
    """Send JSON to an API of API Gateway that authorises by IAM.

    Raises
    ------
    botocore.exceptions.BotoCoreError
        If there are no credentials or no region, or the API cannot be reached.
    """
    require_package("boto3")
    from botocore.auth import SigV4Auth  # noqa: PLC0415  see clients.py
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.exceptions import NoCredentialsError, NoRegionError  # noqa: PLC0415
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415
    from botocore.session import get_session  # noqa: PLC0415

    session = get_session()
    credentials, region = session.get_credentials(), session.get_config_variable("region")
    if credentials is None:
        raise NoCredentialsError
    if not region:
        raise NoRegionError
    headers = {"Content-Type": "application/json", "Host": urlsplit(url).netloc}
    request = AWSRequest("POST", url, headers=headers, data=body)
    SigV4Auth(credentials, "execute-api", region).add_auth(request)
    request.url = reachable_address(url)
    response = URLLib3Session(timeout=35).send(request.prepare())
    return HttpAnswer(response.status_code, response.content)


def reachable_address(url: str) -> str:
    """Return where to connect: names below `localhost` are this machine (RFC 6761), unknown to Python."""
    parts = urlsplit(url)
    if not (parts.hostname or "").endswith(".localhost"):
        return url
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"127.0.0.1{port}"))
