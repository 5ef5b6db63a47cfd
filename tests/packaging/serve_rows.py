"""Hands requests to the real toolkit of SageMaker's containers, which calls the serving code of an archive.

Started in an environment without the library: `serve_rows.py MODEL_DIRECTORY REQUESTS.json`. Prints a JSON
document of the answers: status, content type and text of each.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

os.environ["SAGEMAKER_PROGRAM"] = "inference.py"
sys.path.insert(0, str(Path(sys.argv[1]) / "code"))

from sagemaker_inference.transformer import Transformer


class Context:
    """A request as the toolkit reads it, and what it writes of the answer."""

    def __init__(self, content_type: str, accept: str) -> None:
        self.system_properties = {"model_dir": sys.argv[1]}
        properties = {"Content-Type": content_type, "Accept": accept}
        self.request_processor = [SimpleNamespace(get_request_properties=lambda: properties)]
        self.status, self.content_type = 200, ""

    def set_response_status(self, code: int, phrase: str) -> None:
        self.status = code

    def set_response_content_type(self, index: int, content_type: str) -> None:
        self.content_type = content_type


def main() -> None:
    """Answer the requests one by one, with the same loaded model."""
    transformer, answers = Transformer(), []
    for request in json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")):
        context = Context(request["content_type"], request["accept"])
        (text,) = transformer.transform([{"body": request["body"].encode()}], context)
        answers.append([context.status, context.content_type, text])
    print(json.dumps(answers))


main()
