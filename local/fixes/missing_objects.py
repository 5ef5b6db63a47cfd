"""What a caller without `s3:ListBucket` learns of an object that is not there.

AWS: nothing; GetObject and HeadObject answer 403 instead of 404, so that nobody can probe for names.
MiniStack 1.5.33: answers 404 to everybody, and a role without the permission seems to need none.
Here: as on AWS, with the question in the decision log.
"""

from typing import Any
from xml.sax.saxutils import escape

from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.core.router import extract_access_key_id
from ministack.services import s3

from local.emulator import wrap


def install() -> None:
    """Ask for `s3:ListBucket` before a miss is told."""
    wrap(s3, "_get_object", _hidden_from_strangers)
    wrap(s3, "_head_object", _hidden_from_strangers)


def _hidden_from_strangers(original: Any) -> Any:
    def answer(bucket: str, key: str, headers: Any = None, query: Any = None) -> Any:
        found = original(bucket, key, headers, query)
        if found[0] != 404 or "authorization" not in {name.lower() for name in headers or {}}:
            return found
        denied = iam_evaluator.enforce(
            extract_access_key_id(headers, query or {}),
            "s3:ListBucket",
            "s3",
            get_region(),
            resource_arn=f"arn:aws:s3:::{bucket}",
        )
        if denied is None:
            return found
        body = f"<Error><Code>AccessDenied</Code><Message>Access Denied</Message><Key>{escape(key)}</Key>"
        return 403, {"Content-Type": "application/xml"}, f"{body}</Error>".encode()

    return answer
