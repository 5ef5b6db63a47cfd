"""The notebook of the tutorial: its cells, run in order, and what they show.

Run it again and store what its cells show, after a change of the library:

    .venv/bin/python -m tests.notebook
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
NOTEBOOK = REPOSITORY / "docs" / "tutorial" / "notebook.ipynb"


def read() -> dict[str, Any]:
    """Return the stored notebook, a document of nbformat 4."""
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))


def code_of(cell: dict[str, Any]) -> str:
    """Return the text of a cell."""
    return "".join(cell["source"])


def run(notebook: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Run the code cells in order, in one namespace; return what each shows, as a notebook stores it."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    return [
        run_cell(code_of(cell), namespace, number)
        for number, cell in enumerate((c for c in notebook["cells"] if c["cell_type"] == "code"), 1)
    ]


def run_cell(code: str, namespace: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Run one cell: what it prints, and the value of its last line unless that is None."""
    *statements, last = ast.parse(code).body
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        if isinstance(last, ast.Expr):
            exec(compile(ast.Module(statements, []), f"cell {number}", "exec"), namespace)
            value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), namespace)
        else:
            exec(compile(ast.Module([*statements, last], []), f"cell {number}", "exec"), namespace)
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": _lines(printed.getvalue())})
    if value is not None:
        content = {"text/plain": _lines(repr(value))}
        if hasattr(value, "_repr_html_"):
            content["text/html"] = _lines(value._repr_html_())
        outputs.append(
            {"output_type": "execute_result", "execution_count": number, "metadata": {}, "data": content}
        )
    return outputs


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def main() -> None:
    """Run the notebook, and store it with what its cells show."""
    with contextlib.chdir(REPOSITORY):
        notebook = read()
        outputs = run(notebook)
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, (cell, shown) in enumerate(zip(cells, outputs, strict=True), 1):
        cell |= {"execution_count": number, "outputs": shown}
    NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
