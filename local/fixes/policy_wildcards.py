"""A wildcard of a policy matches line breaks, too."""

import re
from collections.abc import Callable

from local.emulator import wrap


def install() -> None:
    """Compile each pattern so that its wildcards go on over the ends of lines."""
    wrap("iam_evaluator._fnmatch_compile", _over_lines)


def _over_lines(original: Callable[[str, bool], re.Pattern[str]]) -> Callable[[str, bool], re.Pattern[str]]:
    def compile_pattern(pattern: str, ignore_case: bool) -> re.Pattern[str]:  # noqa: FBT001  as MiniStack has it
        compiled = original(pattern, ignore_case)
        return re.compile(compiled.pattern, compiled.flags | re.DOTALL)

    return compile_pattern
