"""What `make demo` prints: chapters, and what happened, with the seconds since the start."""

import time


class Narrator:
    """Prints what happens, with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """The time since the start."""
        return time.monotonic() - self._started

    def title(self, text: str) -> None:
        """Begin a chapter."""
        print(f"\n\033[1m{text}\033[0m", flush=True)

    def line(self, text: str) -> None:
        """Say one thing that happened."""
        print(f"  {self.seconds:6.1f} s  {text}", flush=True)

    def quote(self, text: str) -> None:
        """Show a text unchanged."""
        print("".join(f"           │ {line}\n" for line in text.rstrip().splitlines()), end="", flush=True)
