"""The process of an endpoint: calls the functions of the serving code as SageMaker's toolkits do.

Started as a program, without the packages of `local`; prints the port on which it listens.
"""

import importlib
import os
import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

READY = "listening on port "


def main() -> None:
    """Load the model, then answer until the process is ended."""
    sys.path.insert(0, os.environ["SAGEMAKER_SUBMIT_DIRECTORY"])
    program = importlib.import_module(os.environ["SAGEMAKER_PROGRAM"].removesuffix(".py"))
    model = program.model_fn(str(Path(os.environ["SAGEMAKER_BASE_DIR"]) / "model"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(program, model))
    print(f"{READY}{server.server_port}", flush=True)
    server.serve_forever()


def _handler(program: Any, model: Any) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content_type = 200, "text/plain"
            try:
                rows = program.input_fn(body, self.headers.get("Content-Type") or "application/json")
                answer = program.predict_fn(rows, model)
                text, content_type = program.output_fn(answer, self.headers.get("Accept") or "*/*")
            except Exception as error:  # noqa: BLE001 - whatever the code of the archive raises
                status, text = getattr(error, "status_code", 500), str(error)
                if status >= 500:
                    traceback.print_exc()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *arguments: object) -> None:
            """Log nothing of a request."""

    return Handler


if __name__ == "__main__":
    main()
