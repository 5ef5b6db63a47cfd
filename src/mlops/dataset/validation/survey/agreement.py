"""How all parts of a table are read, so that the facts of one add up with those of the others."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mlops.dataset.notation.notation import Notation
from mlops.dataset.table.chunks import Plan
from mlops.dataset.table.dialect import Dialect, detect
from mlops.models.record import Record
from mlops.models.settings.format import FileFormatSettings


@dataclass(frozen=True, slots=True)
class Agreement(Record):
    """What the beginning of the table decided, or the merge of all parts corrected.

    `plans`, `has_numbers`, `notations` and `personal` go by the position of the column. Of a part every
    `sample_stride`-th row is kept for what cannot be judged from counts.
    """

    names: tuple[str, ...]
    delimiter: str
    decimal: str
    plans: tuple[Plan, ...]
    has_numbers: tuple[bool, ...]
    personal: tuple[str | None, ...]
    sample_stride: int = 1
    quote: str = '"'
    comment: str = ""
    notations: tuple[Notation, ...] = ()

    def dialect_of(self, head: bytes, stated: FileFormatSettings) -> Dialect | None:
        """Return how a part is to be read that begins so: only its header is its own."""
        agreed = replace(
            stated,
            delim=self.delimiter,
            decimal_separator=self.decimal,
            quote=self.quote,
            comment=self.comment or stated.comment,
        )
        return detect(head, agreed)
