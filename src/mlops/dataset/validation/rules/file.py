"""Rules on the bytes of the file: emptiness, container, compression, size, encoding."""

from __future__ import annotations

import json
from collections.abc import Iterable

from mlops.dataset.conversion.recognition import ending_of
from mlops.dataset.conversion.refusal import SAVE_AS
from mlops.dataset.form.encoding_evidence import display_name
from mlops.dataset.form.encodings import is_of_family
from mlops.dataset.form.inspection import Inspection
from mlops.dataset.validation.accept_with import accept_form
from mlops.dataset.validation.rule import RuleFinding, rule
from mlops.dataset.validation.survey.survey import Survey


@rule("empty_file", "The file holds no bytes, or nothing but blank lines.", stage="file")
def empty_file(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse a file without content."""
    facts = survey.inspection
    if facts.container or facts.damage or facts.excess:
        return
    if facts.size_bytes == 0 or facts.expanded_bytes == 0:
        yield RuleFinding("reject", "The file is empty: it holds no bytes.", advice="Export the table again.")
    elif facts.is_readable and survey.dialect is None and survey.form.skip:
        message = f"model.toml says skip = {survey.form.skip}, but the file has no more lines than that."
        yield RuleFinding("reject", message, accept_with=accept_form(survey, skip=0))
    elif facts.is_readable and survey.dialect is None:
        yield RuleFinding(
            "reject", "The file is empty: there is no header, only blank lines.", advice=SAVE_AS
        )


@rule("wrong_container", "The file is something else than a text table, or is compressed.", stage="file")
def wrong_container(survey: Survey) -> Iterable[RuleFinding]:
    """Name Parquet, Excel, HTML, JSON and the like; tell of gzip under another name."""
    container = survey.inspection.container
    if container:
        ending = ending_of(container)
        other = f" Or drop the whole table as one file whose name ends in {ending}." if ending else ""
        message = f"The file is {container}, not a CSV table."
        yield RuleFinding("reject", message, advice=SAVE_AS + other)
    elif survey.is_named_as_gzip and survey.inspection.size_bytes and not survey.inspection.compression:
        yield RuleFinding("warn", "The file is named .gz but is not gzip-compressed; it was read as it is.")
    elif survey.inspection.compression and not (survey.inspection.damage or survey.is_named_as_gzip):
        yield RuleFinding(
            "warn", "The file is gzip-compressed, whatever its name says; it was read expanded."
        )


@rule("truncated", "A compressed file cannot be read to its end.", stage="file")
def truncated(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse damaged gzip; nothing is trained on the part that could be read."""
    if survey.inspection.damage:
        message = f"The file cannot be read to its end: {survey.inspection.damage}."
        yield RuleFinding("reject", message, advice="Compress and upload the file again.")


@rule(
    "too_large",
    "The file, or what its compressed content expands to, is larger than the limit.",
    stage="file",
)
def too_large(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse what is too large, and gzip bombs."""
    if survey.inspection.excess:
        message = f"The file is too large: {survey.inspection.excess}."
        yield RuleFinding(
            "reject", message, advice="Split the file, or upload it uncompressed when it is honest data."
        )
    elif survey.has_too_many_rows:
        message = f"The table is too large: it has more than {survey.limits.max_rows:,} rows."
        advice = "Train on fewer rows." if survey.is_training else "Split the file."
        yield RuleFinding("reject", message, advice=advice)


@rule("nul_bytes", "The text holds NUL (0x00) bytes.", stage="file")
def nul_bytes(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse NUL bytes: the file is damaged or binary."""
    facts = survey.inspection
    if facts.n_nuls and not facts.container:
        first = f", first on line {facts.nul_lines[0]}" if facts.nul_lines else ""
        message = f"The file holds {facts.n_nuls:,} NUL bytes (0x00){first}: it is binary or damaged."
        yield RuleFinding("reject", message, lines=facts.nul_lines, advice="Export the table again as text.")


@rule("encoding", "The text is not UTF-8, or not in the encoding that is stated.", stage="file")
def encoding(survey: Survey) -> Iterable[RuleFinding]:
    """Convert what is certain and say so; refuse the rest and name the likely encodings."""
    facts, stated = survey.inspection, survey.form.encoding
    if facts.container or facts.n_nuls:
        return
    line = (facts.encoding_line,) if facts.encoding_line else ()
    if facts.encoding_problem:
        yield RuleFinding(
            "reject",
            _problem_sentence(facts, stated),
            lines=line,
            advice="Save the file as UTF-8.",
            accept_with=_accept_encoding(survey),
        )
    elif stated is not None and facts.has_bom and not is_of_family(stated, facts.encoding):
        name = display_name(facts.encoding)
        message = f"The file begins with the byte order mark of {name}; it was read so, not as {stated}."
        yield RuleFinding("warn", message, advice="Correct encoding in model.toml.")
    elif stated is None and facts.encoding != "utf-8":
        message = (
            f"The encoding is {display_name(facts.encoding)}, not UTF-8; the text was converted, so check"
            " accented letters."
        )
        yield RuleFinding("warn", message, lines=line, advice="Save the file as UTF-8 to be sure.")


def _problem_sentence(facts: Inspection, stated: str | None) -> str:
    match facts.encoding_problem:
        case "truncated":
            return (
                f"The file ends inside a character ({facts.encoding} encoding): it was cut off (truncated)."
            )
        case "mixed":
            return (
                f"Line {facts.encoding_line} is not valid UTF-8, while other lines are: encodings are mixed,"
                " or a character is damaged."
            )
        case "contradicted" if facts.likely_encodings == ("utf-8",):
            return f"model.toml says encoding = {json.dumps(stated)}, but the text is UTF-8."
        case "contradicted":
            line = facts.encoding_line
            return f"model.toml says encoding = {json.dumps(stated)}, but line {line} is not in it."
        case "unsure":
            names = dict.fromkeys(map(display_name, facts.likely_encodings))
            likely = f": likely {' or '.join(names)}" if names else ""
            return f"The encoding is not UTF-8, and it is not certain which one it is{likely}."
        case _:
            return f"The file announces {display_name(facts.encoding)} encoding, but is damaged."


def _accept_encoding(survey: Survey) -> str | None:
    """Return the lines for the likeliest encoding, the others beside it."""
    facts = survey.inspection
    if facts.encoding_problem not in ("unsure", "contradicted") or not facts.likely_encodings:
        return None
    first, *others = facts.likely_encodings
    lines = accept_form(survey, encoding=first)
    return f"{lines}  # or {', '.join(map(json.dumps, others[:3]))}" if others else lines
