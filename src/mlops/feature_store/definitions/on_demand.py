"""Features that are computed when they are read, by a function of the row and of the request.

The source of the function is stored, and what is stored is what runs. It is held to plain expressions: no
import, no name outside of the list below, no attribute that begins with an underscore. That keeps functions
pure, and keeps a definition of another author from running a program; it does not protect against a
person who may change the registry's table.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import math
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any

from mlops.feature_store.definitions.views import FeatureView, FeatureViewProjection, Field
from mlops.models.errors import FeatureStoreError
from mlops.models.record import Record

type RowFunction = Callable[[Mapping[str, Any]], Mapping[str, Any]]

_NAMES: Mapping[str, Any] = MappingProxyType(
    {
        function.__name__: function
        for function in (abs, bool, dict, divmod, enumerate, float, int, isinstance, len, list, max, min)
    }
    | {function.__name__: function for function in (pow, range, round, set, sorted, str, sum, tuple, zip)}
    | {"math": math, "ValueError": ValueError}
)
_REFUSED = (
    *(ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.ClassDef, ast.Lambda),
    *(ast.AsyncFunctionDef, ast.Await, ast.Yield, ast.YieldFrom, ast.While, ast.Try),
    ast.GeneratorExp,
)
# methods of texts, numbers, dates, lists and mappings, and what math has; others lead to the interpreter
_ATTRIBUTES = frozenset(
    name
    for owner in (str, int, float, list, dict, set, tuple, date, datetime, timedelta, math)
    for name in dir(owner)
    if not name.startswith("_") and name not in ("format", "format_map")
)


@dataclass(frozen=True, slots=True)
class RequestSource:
    """Values that come with a request, or are columns of the entity rows."""

    schema: Sequence[Field]


@dataclass(frozen=True, slots=True)
class OnDemandFeatureView(Record):
    """Features that a function computes from those of other views and from values of the request.

    Parameters
    ----------
    sources
        The views whose features the function gets.
    request
        The values of the request that it gets.
    schema
        What it returns.
    source_code
        The function, `def name(row): ...`: from a mapping of names to values (None = missing) to a mapping.
    """

    name: str
    sources: tuple[FeatureViewProjection, ...]
    request: tuple[Field, ...]
    schema: tuple[Field, ...]
    source_code: str
    description: str = ""
    owner: str = ""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features."""
        return tuple(field.name for field in self.schema)

    @property
    def digest(self) -> str:
        """The SHA-256 of the function."""
        return hashlib.sha256(self.source_code.encode()).hexdigest()

    def run(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the features of one row.

        Raises
        ------
        FeatureStoreError
            If the function fails, or does not return exactly its features.
        """
        try:
            values = dict(load_function(self.source_code)(row))
        except FeatureStoreError:
            raise
        except Exception as error:
            raise FeatureStoreError(
                f"The function of {self.name} failed with {type(error).__name__}: {error}. A missing value "
                "is None there; test for it."
            ) from error
        if set(values) != set(self.feature_names):
            raise FeatureStoreError(
                f"The function of {self.name} must return {', '.join(self.feature_names)}; it returned "
                f"{', '.join(map(str, values)) or 'nothing'}."
            )
        return values


def on_demand_feature_view(
    *,
    sources: Sequence[FeatureView | FeatureViewProjection | RequestSource],
    schema: Sequence[Field],
    description: str = "",
    owner: str = "",
) -> Callable[[RowFunction], OnDemandFeatureView]:
    """Make a view of the decorated function, called as the function."""
    views = [source for source in sources if not isinstance(source, RequestSource)]
    projections = tuple(
        FeatureViewProjection(view.name) if isinstance(view, FeatureView) else view for view in views
    )
    requests = [source for source in sources if isinstance(source, RequestSource)]
    request = tuple(field for source in requests for field in source.schema)

    def view_of(function: RowFunction) -> OnDemandFeatureView:
        code = plain_source(textwrap.dedent(inspect.getsource(function)))
        return OnDemandFeatureView(
            function.__name__, projections, request, tuple(schema), code, description, owner
        )

    return view_of


def plain_source(code: str) -> str:
    """Return a function in one notation, without decorators and comments, so that its digest stays equal.

    Raises
    ------
    FeatureStoreError
        If the text is not one function of one row, or has something that such a function may not have.
    """
    try:
        body = ast.parse(code).body
    except SyntaxError as error:
        raise FeatureStoreError(
            f"The function is not valid Python: {error.msg}, line {error.lineno}."
        ) from error
    if len(body) != 1 or not isinstance(body[0], ast.FunctionDef) or len(body[0].args.args) != 1:
        raise FeatureStoreError("Write one function of one argument: def name(row): ... return {...}.")
    function = body[0]
    function.decorator_list = []
    function.returns = function.args.args[0].annotation = None
    if problem := next(_problems(function), ""):
        raise FeatureStoreError(
            f"The function {function.name} must be a function of its row alone: {problem}."
        )
    return ast.unparse(function)


@cache
def load_function(code: str) -> RowFunction:
    """Return the function of a stored source."""
    checked = plain_source(code)
    namespace: dict[str, Any] = {"__builtins__": {}, **_NAMES}
    exec(compile(checked, "<on-demand feature view>", "exec"), namespace)  # noqa: S102  see the module
    function: RowFunction = namespace[ast.parse(checked).body[0].name]  # type: ignore[attr-defined]
    return function


def _problems(function: ast.FunctionDef) -> Iterator[str]:
    local = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and _is_stored(node)}
    local |= {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    for node in ast.walk(function):
        if isinstance(node, _REFUSED) or (isinstance(node, ast.FunctionDef) and node is not function):
            yield f"line {node.lineno} has a statement that is not allowed ({type(node).__name__})"
        elif isinstance(node, ast.Attribute) and node.attr in ("format", "format_map"):
            yield f"line {node.lineno} uses {node.attr}; write an f-string"
        elif isinstance(node, ast.Attribute) and node.attr not in _ATTRIBUTES:
            yield f"line {node.lineno} uses {node.attr}, which is no method of a value and not in math"
        elif isinstance(node, ast.Name) and node.id not in local and node.id not in _NAMES:
            yield f"line {node.lineno} uses {node.id}, which it does not define"


def _is_stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)
