"""What a person may do on the pages: drop a file, and run the daily drift check."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from local.cloud import LocalCloud, link_to
from local.errors import LocalCloudError
from local.pages.layout import page
from local.stack import find_application

_OWN_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Upload:
    """The fields of the form, and the file."""

    fields: Mapping[str, str]
    name: str
    content: bytes


def is_foreign(method: str, headers: Mapping[str, str]) -> bool:
    """Tell whether a request is for another name than this machine's, or changes something for another site.

    Browsers say with every POST which site it comes from; programs say nothing. A site whose name was made to
    resolve to this machine is known by the name that it requests.
    """
    host = headers.get("host", "")
    if urlsplit(f"//{host}").hostname not in _OWN_NAMES:
        return True
    origin = headers.get("origin")
    return method == "POST" and origin is not None and origin != f"http://{host}"


def drop_page(cloud: LocalCloud, content_type: str, body: bytes) -> str:
    """Put the file of the form into the data bucket; return a page that says where it is."""
    upload = read_form(content_type, body)
    if not upload.name:
        raise LocalCloudError("No file was chosen: go back, and choose or drop one.")
    group, folder = upload.fields.get("group", "").strip(), upload.fields.get("folder", "")
    address = find_application(cloud).drop_for(group, upload.name, upload.content, folder)
    return page("dropped", "Dropped", "/_local/", address=address, link=link_to(address))


def drift_page(cloud: LocalCloud) -> str:
    """Run the daily drift check; return a page with the verdict on each group."""
    groups = find_application(cloud).check_drift()["groups"]
    checked = [(group, link_to(group["report_uri"])) for group in groups]
    return page("checked", "Drift check", "/_local/", checked=checked, at=datetime.now(UTC))


def read_form(content_type: str, body: bytes) -> Upload:
    """Return the fields and the file of a form, as browsers send them (`multipart/form-data`).

    Raises
    ------
    LocalCloudError
        If the body is not such a form.
    """
    kind, _, boundary = content_type.partition("boundary=")
    if not kind.startswith("multipart/form-data") or not boundary:
        raise LocalCloudError("This address takes the form of the overview page only.")
    fields: dict[str, str] = {}
    name, content = "", b""
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.strip('"').encode())[1:-1]:
        head, _, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        attributes = _attributes(head.decode(errors="replace"))
        if "filename" in attributes:
            name, content = attributes["filename"].replace("\\", "/").rpartition("/")[2], value
        else:
            fields[attributes.get("name", "")] = value.decode(errors="replace")
    return Upload(fields, name, content)


def _attributes(head: str) -> dict[str, str]:
    """Return the attributes of the line `Content-Disposition`; browsers write `"` in names as `%22`."""
    line = next((each for each in head.split("\r\n") if each.lower().startswith("content-disposition:")), "")
    pairs = (text.strip().partition("=") for text in line.split(";")[1:])
    return {key: value.strip('"').replace("%22", '"') for key, _, value in pairs}
