"""Which encoding bytes are in that are not UTF-8: proposals of `chardet`, weighed by how the text looks."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

# as Python names them; of two that decode the same bytes to the same text the first one is taken
ENCODINGS = (
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp1257",
    "cp874",
    "iso-8859-15",
    "iso-8859-2",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "iso-8859-9",
    "koi8-r",
    "koi8-u",
    "cp866",
    "cp850",
    "cp852",
    "cp720",
    "cp737",
    "cp855",
    "cp862",
    "mac-roman",
    "mac-cyrillic",
    "mac-greek",
    "gb18030",
    "big5",
    "cp932",
    "shift_jis",
    "cp949",
    "euc-kr",
    "euc-jp",
    "mac-latin2",
    "mac-turkish",
    "mac-iceland",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-13",
    "iso-8859-14",
    "iso-8859-16",
    "cp437",
    "cp775",
    "cp857",
    "cp861",
    "cp865",
    "cp1258",
    "kz1048",
    "ptcp154",
    "johab",
)
_DOS = (437, 720, 737, 775, 850, 852, 855, 857, 861, 862, 865, 866)
# few files are in these: they must be clearly better than a usual one
_SELDOM = frozenset(ENCODINGS[ENCODINGS.index("mac-latin2") :])
_DISPLAY_NAMES = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32-le": "UTF-32",
    "utf-32-be": "UTF-32",
    "latin-1": "Latin-1",
    "gb18030": "GB18030 (Chinese)",
    "big5": "Big5 (Chinese)",
    "cp932": "Shift JIS (Japanese)",
    "shift_jis": "Shift JIS (Japanese)",
    "euc-jp": "EUC-JP (Japanese)",
    "iso2022_jp": "ISO-2022-JP (Japanese)",
    "cp949": "EUC-KR (Korean)",
    "euc-kr": "EUC-KR (Korean)",
    "cp874": "Windows-874 (Thai)",
    "mac-roman": "Mac Roman",
    "mac-cyrillic": "Mac Cyrillic",
    "mac-greek": "Mac Greek",
    "mac-latin2": "Mac Central European",
    "mac-turkish": "Mac Turkish",
    "mac-iceland": "Mac Icelandic",
    "kz1048": "KZ-1048 (Kazakh)",
    "ptcp154": "PTCP154 (Kazakh)",
    "johab": "Johab (Korean)",
    **{f"cp{number}": f"DOS (cp{number})" for number in _DOS},
}
# a cell, or the end of it, around its first byte beyond ASCII
_PIECE = re.compile(rb'[\x21\x23-\x2b\x2d-\x3a\x3c-\x7f]{0,20}[\x80-\xff][^\x00-\x20,;"]*+')
# what a piece does not hold, as spaces: words are found much faster than pieces, and most occur again
_SPACES = bytes(32 if byte <= 32 or byte in b',;"' else byte for byte in range(256))
_MAX_SAMPLE_BYTES = 32 * 1024
_DIGITS = b"0123456789"  # `Č1` and `Č2` say the same
_TYPOGRAPHY = frozenset("“”„‚‘’«»‹›–—…°€£•№ºª\u00a0")
_MARKS = frozenset("²³½¼¾±µ·×§©®™¿¡")
# not inside of a word, where other encodings have letters
_NEVER_INSIDE = frozenset("€£•„‚‹›")
_LIGATURES = frozenset("ﬀﬁﬂﬃﬄ")
# letters of Greek, Cyrillic, Hebrew, Arabic, Thai: beside Latin ones they are damage of another encoding
_FIRST_OTHER_SCRIPT, _LAST_OTHER_SCRIPT = "\u0370", "\u1dff"
# letters in the places of those of a neighbour: of Turkish in Windows-1254, of capitals in Mac Cyrillic
_RARE = {"cp1252": frozenset("ðÐþÞýÝ"), "cp1251": frozenset("ЂЃѓЉЊЌЋЏђљњќћџ")}
# how strongly a text that looks damaged counts against an encoding
_DAMAGE_EXPONENT = 16
# Windows-1252 is the common case; Mac Cyrillic has the small letters of Windows-1251 in the same places
_WEIGHTS = {"cp1252": 1.5, "mac-cyrillic": 0.6}
_WEIGHT_OF_TYPOGRAPHY, _WEIGHT_OF_RARE = 4.0, 0.4
_WEIGHT_OF_SELDOM, _WEIGHT_OF_SELDOM_IN_FEW = 0.5, 0.2
_MIN_RATIO, _MIN_RATIO_OF_CP1252 = 1.3, 1.1
_MIN_BYTES = 8
_MIN_SHARE_NAMED = 0.3
_MIN_SCORE, _MIN_SCORE_OF_SELDOM = 0.001, 0.03
_FIRST_FOREIGN = 0x80


# in these, text that is not UTF-8 holds no valid UTF-8 by chance
_OF_WINDOWS = ("cp1252", "cp1250", "cp1254", "cp1257")
LATIN = frozenset((*_OF_WINDOWS, "iso-8859-15", "iso-8859-2", "iso-8859-9", "cp850", "cp852", "mac-roman"))
MULTIBYTE = frozenset(("gb18030", "big5", "cp932", "shift_jis", "cp949", "euc-kr", "euc-jp", "johab"))


@dataclass(frozen=True, slots=True)
class Proposal:
    """The likely encodings, the likeliest first, and whether that one is sure."""

    encodings: tuple[str, ...]
    is_sure: bool


class ForeignText:
    """Collects the distinct pieces of text with bytes beyond ASCII, up to 32 KiB of them."""

    def __init__(self) -> None:
        self._pieces: dict[bytes, bytes] = {}
        self._size_bytes = 0

    def add(self, block: bytes) -> None:
        """Take a part of the file."""
        if self._size_bytes >= _MAX_SAMPLE_BYTES:
            return
        words = dict.fromkeys(word for word in block.translate(_SPACES).split() if not word.isascii())
        for piece in chain.from_iterable(map(_PIECE.findall, words)):
            if self._size_bytes >= _MAX_SAMPLE_BYTES:
                return
            if (word := piece.rstrip(_DIGITS)) not in self._pieces:
                self._pieces[word] = piece
                self._size_bytes += len(piece)

    def propose(self) -> Proposal:
        """Return the encodings in which the pieces look like text of some language."""
        return propose(b"\n".join(self._pieces.values()))


def display_name(encoding: str) -> str:
    """Return the name of an encoding as people know it."""
    if encoding in _DISPLAY_NAMES:
        return _DISPLAY_NAMES[encoding]
    return encoding.replace("cp125", "Windows-125") if encoding.startswith("cp125") else encoding.upper()


def propose(sample: bytes) -> Proposal:
    """Judge words that hold bytes beyond ASCII.

    The proposal is sure when the best encoding is clearly ahead of the second one that reads the words
    differently, and there are enough bytes to judge. Windows-1252 needs less: it is by far the most common.
    """
    scores = sorted(_scores(sample), reverse=True)
    if not scores:
        return Proposal((), is_sure=False)
    best, first = scores[0]
    second = scores[1][0] if len(scores) > 1 else 0.0
    likely = tuple(encoding for score, encoding in scores if score >= _MIN_SHARE_NAMED * best)
    if first == "cp1252":
        return Proposal(likely, is_sure=best >= _MIN_RATIO_OF_CP1252 * second)
    is_enough = _n_foreign(sample) >= _MIN_BYTES and (first not in _SELDOM or best >= _MIN_SCORE_OF_SELDOM)
    return Proposal(likely, is_sure=is_enough and best >= _MIN_RATIO * second)


def _n_foreign(sample: bytes) -> int:
    return sum(byte >= _FIRST_FOREIGN for byte in sample)


def _scores(sample: bytes) -> Iterator[tuple[float, str]]:
    """Yield a score for each encoding; of those that read the sample alike, for the first one only.

    An apostrophe of Windows is a letter in many seldom encodings: with few bytes these count less.
    """
    of_seldom = _WEIGHT_OF_SELDOM if _n_foreign(sample) >= _MIN_BYTES else _WEIGHT_OF_SELDOM_IN_FEW
    confidences = {
        name: score * (of_seldom if name in _SELDOM else 1.0) for name, score in _confidences(sample).items()
    }
    seen: set[str] = set()
    for encoding in ENCODINGS:
        text = _decoded(sample, encoding)
        if text is None or text in seen:
            continue
        seen.add(text)
        confidence = max(
            (each for name, each in confidences.items() if _decoded(sample, name) == text), default=0.0
        )
        if encoding == "cp1252":
            confidence = max(confidence, _MIN_SCORE)
        score = confidence * _soundness(text) ** _DAMAGE_EXPONENT * _weight(encoding, text)
        if score > 0.0:
            yield score, encoding


def _confidences(sample: bytes) -> dict[str, float]:
    from chardet import detect_all

    candidates = detect_all(sample, ignore_threshold=True, include_encodings=ENCODINGS)
    named = {codecs.lookup(encoding).name: encoding for encoding in ENCODINGS}
    written = ((each["encoding"], each["confidence"]) for each in candidates if each["encoding"])
    return {named.get(codecs.lookup(name).name, name): confidence for name, confidence in written}


def _decoded(sample: bytes, encoding: str) -> str | None:
    try:
        return sample.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _weight(encoding: str, text: str) -> float:
    if not _RARE.get(encoding, frozenset()).isdisjoint(text):
        return _WEIGHT_OF_RARE
    is_typography = encoding == "cp1252" and all(c.isascii() or c in _TYPOGRAPHY for c in text)
    return _WEIGHT_OF_TYPOGRAPHY if is_typography else _WEIGHTS.get(encoding, 1.0)


def _soundness(text: str) -> float:
    """Return the share of characters beyond ASCII that are where text has them; 1.0 = all of them.

    Symbols and control characters are not, a capital right after a small letter is not, nor is a letter of
    another script beside a Latin one.
    """
    n_foreign = n_damaged = 0
    for before, character, after in zip(f" {text}", text, f"{text[1:]} ", strict=False):
        if not character.isascii():
            n_foreign += 1
            n_damaged += not _is_sound(character, after) or not _fits_between(before, character, after)
        n_damaged += before.islower() and character.isupper()
    return max(0.0, 1.0 - n_damaged / max(n_foreign, 1))


def _fits_between(before: str, character: str, after: str) -> bool:
    """Whether the characters around one beyond ASCII may be beside it."""
    if character in _NEVER_INSIDE:
        return not (before.isalpha() and after.isalpha())
    is_other_script = _FIRST_OTHER_SCRIPT <= character <= _LAST_OTHER_SCRIPT
    return not (is_other_script and any(each.isascii() and each.isalpha() for each in (before, after)))


def _is_sound(character: str, after: str) -> bool:
    if character in _LIGATURES:
        return False
    if character.isalpha() or unicodedata.category(character).startswith("M"):
        return True
    return (
        character in _TYPOGRAPHY or _is_east_asian(character) or (character in _MARKS and not after.isalpha())
    )


def _is_east_asian(character: str) -> bool:
    return "\u3000" <= character <= "\u303f" or "\uff00" <= character <= "\uffef"
