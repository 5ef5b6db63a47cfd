"""A range of one version of an S3 object is answered with that range."""

from typing import Any

from ministack.services import s3

from local.emulator import wrap

type Answer = tuple[int, dict[str, Any], Any]


def install() -> None:
    """Cut what GetObject returns for a version."""
    wrap("s3._get_object", _within_range)


def _within_range(original: Any) -> Any:
    def get_object(
        bucket_name: str, key: str, headers: dict[str, str], query_params: dict[str, Any] | None = None
    ) -> Answer:
        answer: Answer = original(bucket_name, key, headers, query_params)
        status, _, body = answer
        header = headers.get("range", "")
        if status != 200 or not header or not isinstance(body, bytes):
            return answer
        bounds = s3._parse_range(header, len(body))
        return answer if bounds is None else _cut(answer, *bounds)

    return get_object


def _cut(answer: Answer, start: int, end: int) -> Answer:
    _, headers, body = answer
    piece = body[start : end + 1]
    range_headers = {"Content-Length": str(len(piece)), "Content-Range": f"bytes {start}-{end}/{len(body)}"}
    # a checksum is of the whole object
    kept = {name: value for name, value in headers.items() if not name.lower().startswith("x-amz-checksum")}
    return 206, {**kept, **range_headers}, piece
