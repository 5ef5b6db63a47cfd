"""Ranges of one version of an S3 object.

AWS: GetObject with `versionId` honours `Range`, which is how boto3 downloads what is larger than 8 MiB.
MiniStack 1.5.33: answers every range of a version with the whole object, so that such a download is garbage.
Here: the answer is cut to the range.
"""

from typing import Any

from ministack.services import s3

from local.emulator import wrap

type Answer = tuple[int, dict[str, Any], Any]


def install() -> None:
    """Cut what GetObject returns for a version."""
    wrap(s3, "_get_object", _within_range)


def _within_range(original: Any) -> Any:
    def get_object(
        bucket_name: str, key: str, headers: dict[str, str], query_params: dict[str, Any] | None = None
    ) -> Answer:
        answer: Answer = original(bucket_name, key, headers, query_params)
        status, _, body = answer
        wanted = headers.get("range", "")
        if status != 200 or not wanted or not isinstance(body, bytes):
            return answer
        found = s3._parse_range(wanted, len(body))
        return answer if found is None else _cut(answer, *found)

    return get_object


def _cut(answer: Answer, start: int, end: int) -> Answer:
    _, headers, body = answer
    piece = body[start : end + 1]
    told = {"Content-Length": str(len(piece)), "Content-Range": f"bytes {start}-{end}/{len(body)}"}
    # a checksum is of the whole object
    kept = {name: value for name, value in headers.items() if not name.lower().startswith("x-amz-checksum")}
    return 206, {**kept, **told}, piece
