"""The handle for tests and the demo: clients, environment, emails, decisions, requests."""

import http.client
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from local import launcher
from local.environment import (
    BIND_HOST,
    CLOUD_DIRECTORY,
    REGION,
    ROOT_ACCESS_KEY,
    ROOT_SECRET_KEY,
    endpoint_url,
    process_environment,
    variables,
)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One HTTP answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """Return the body parsed as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """A running local cloud."""

    endpoint: str
    port: int
    directory: Path

    def variables(self) -> dict[str, str]:
        """Return the variables that point AWS tools here (for `monkeypatch.setenv` and shells)."""
        return variables(self.endpoint)

    def environment(self) -> dict[str, str]:
        """Return a whole environment for a subprocess that should work here."""
        return process_environment(self.endpoint)

    def client(self, service: str, **credentials: str) -> Any:
        """Return a boto3 client as the account's root, or with other credentials (`aws_access_key_id=`)."""
        import boto3  # noqa: PLC0415 - most of a second, which `up`, `down` and `status` do without
        from botocore.config import Config  # noqa: PLC0415

        keys = {"aws_access_key_id": ROOT_ACCESS_KEY, "aws_secret_access_key": ROOT_SECRET_KEY}
        return boto3.session.Session().client(
            service,  # type: ignore[call-overload, unused-ignore]
            endpoint_url=self.endpoint,
            region_name=REGION,
            config=Config(retries={"max_attempts": 1, "mode": "standard"}),
            **(keys | credentials),
        )

    def as_role(self, role_arn: str, session_name: str = "local") -> dict[str, str]:
        """Return credentials of a role whatever its trust policy says, as `client` takes them.

        With them a test asks "may this role do that?" without starting what runs under the role.
        """
        answer = self.request(
            "POST",
            f"{self.endpoint}/_local/sessions",
            json.dumps({"role_arn": role_arn, "session_name": session_name}).encode(),
        )
        return {str(name): str(value) for name, value in answer.json().items()}

    def request(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """Send one HTTP request to this cloud under any of its host names; redirects are not followed.

        `http://ID.execute-api.localhost:PORT/...` opens in a browser, but Python does not resolve such names.
        """
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(BIND_HOST, self.port, timeout=60)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, path, body=body, headers={"Host": parts.netloc, **(headers or {})})
            response = connection.getresponse()
            content = response.read()
            return HttpAnswer(response.status, {k.lower(): v for k, v in response.getheaders()}, content)
        finally:
            connection.close()

    def emails(self) -> list[dict[str, Any]]:
        """Return the emails sent so far, newest first: id, to, subject, body, links, topic_arn, sent_at."""
        inbox = self.request("GET", f"{self.endpoint}/_local/inbox.json").json()
        emails: list[dict[str, Any]] = inbox["mails"]
        return emails

    def newest_email_id(self) -> int:
        """Return the id of the newest email; 0 before the first one."""
        return max((email["id"] for email in self.emails()), default=0)

    def confirm_subscriptions(self) -> list[str]:
        """Confirm every pending email subscription, as the recipients would; return their addresses."""
        confirmed: list[str] = self.request("POST", f"{self.endpoint}/_local/confirm-all").json()["confirmed"]
        return confirmed

    def iam_decisions(self) -> list[dict[str, Any]]:
        """Return every authorisation decision so far, oldest first (see `local.iam_log`)."""
        log = self.directory / "iam.jsonl"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return [json.loads(line) for line in lines]


def connect(directory: Path = launcher.DEFAULT_DIRECTORY) -> LocalCloud | None:
    """Return the cloud that `python -m local up` started in `directory`, or None."""
    state = launcher.running_cloud(directory)
    return None if state is None else LocalCloud(state.endpoint, state.port, directory.resolve())


def object_address(endpoint: str, uri: str) -> str:
    """Return where the pages of a cloud show an object, or what is below a folder."""
    return endpoint + link_to(uri)


def link_to(uri: str) -> str:
    """Return the address on the pages of an object, or of a folder, whose name ends in a slash."""
    return f"/_local/object?{urlencode({'uri': uri})}"


def own_cloud() -> LocalCloud:
    """Return the cloud of the emulator that this process is."""
    port = int(os.environ["GATEWAY_PORT"])
    return LocalCloud(endpoint_url(port), port, Path(os.environ[CLOUD_DIRECTORY]))


@contextmanager
def local_cloud(
    port: int | None = None, directory: Path | None = None, *, keep: bool = False
) -> Iterator[LocalCloud]:
    """Run a cloud for the length of a `with` block; nothing of it is left afterwards unless `keep`."""
    own_directory = Path(tempfile.mkdtemp(prefix="local-cloud-")) if directory is None else directory
    state = launcher.start(own_directory, port)
    try:
        yield LocalCloud(state.endpoint, state.port, own_directory.resolve())
    finally:
        launcher.stop(own_directory, keep=keep)
