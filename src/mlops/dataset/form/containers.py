"""Files that are not text tables, named as what they are by their first bytes."""

from __future__ import annotations

import re

GZIP_MARK = b"\x1f\x8b"
_SAS_MARK = bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")
# (first bytes, what to call it, what to do instead)
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "a Parquet file"),
    (b"PARE", "an encrypted Parquet file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (xls, binary)"),
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"ARROW1", "an Arrow (Feather) file"),
    (b"FEA1", "a Feather file"),
    (b"BZh", "a bzip2-compressed file"),
    (b"\xfd7zXZ\x00", "an xz-compressed file"),
    (b"\x28\xb5\x2f\xfd", "a zstandard-compressed file"),
    (b"\x04\x22\x4d\x18", "an LZ4-compressed file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RDX2\n", "an R data file"),
    (b"RDX3\n", "an R data file"),
    (GZIP_MARK + b"\x08", "a gzip file inside a gzip file (compressed twice)"),
    (b"$FL2", "an SPSS file"),
    (b"\x7fELF", "a program (binary)"),
    (b"\x80\x04\x95", "a Python pickle (binary)"),
    (b"\x80\x05\x95", "a Python pickle (binary)"),
    (b"\x80\x03", "a Python pickle (binary)"),
    (b"\x80\x02", "a Python pickle (binary)"),
    (b"MATLAB 5.0 MAT-file", "a MATLAB file (binary)"),
    (b"<stata_dta>", "a Stata file (binary)"),
    (_SAS_MARK, "a SAS data set (sas7bdat, binary)"),
    (b"BEGIN:VCARD", "a file of contacts (vCard)"),
    (b"BEGIN:VCALENDAR", "a calendar (iCalendar)"),
    (b"version https://git-lfs", "a Git LFS pointer, not the data it points to"),
)
_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|\?xml|!--|[a-z][\w:-]*[\s>/])", re.IGNORECASE)
_PAGE = re.compile(rb"<(?:html|!doctype html|body|table|br|div|p|b)[\s/>]", re.IGNORECASE)
_JSON = re.compile(rb'\s*(?:\[\s*(?:[{\["\]]|-?\d+\s*[,\]])|\{\s*["}])')
_ARFF = re.compile(rb"\s*(?:%[^\n]*\n\s*)*@relation\s", re.IGNORECASE)
_SQL = re.compile(rb"(?:\s*+--[^\n]*+\n)*+\s*+(?:CREATE|INSERT|DROP)\s+(?:TABLE|INTO)\s+[^\s,;]", re.I)
_EBCDIC_NEWLINES = b"\x15\x25\x0d"
# possessive throughout: a line of bars must not make the match try every one of them
_RULE = rb"[ \t|+]*+:?+-{3,}+:?+(?:[ \t]*+[|+][ \t|+]*+:?+-{3,}+:?+)++[ \t|+]*+\r?+(?:\n|$)"
_DRAWN = re.compile(rb"(?:\+(?:-+\+)+\r?\n)?[^\n|]*+\|[^\n]*+\n" + _RULE)


def identify(head: bytes) -> str | None:
    """Say what the file is when it is not a text table, or None.

    Parameters
    ----------
    head
        The first bytes, at least 512 when the file has them.
    """
    plain = head.removeprefix(b"\xef\xbb\xbf")
    for signature, name in _SIGNATURES:
        if plain.startswith(signature) and not _is_word(plain, signature):
            return name
    if plain.startswith(_ZIP_MARKS):
        return _zip_kind(plain)
    if plain[257:262] == b"ustar":
        return "a tar archive"
    if _is_ebcdic(plain):
        return "text in EBCDIC, the encoding of mainframes"
    return _text_kind(plain)


def _text_kind(plain: bytes) -> str | None:
    """Name text that is written in another way than a CSV table."""
    if _MARKUP.match(plain):
        is_page = bool(_PAGE.search(plain[:2048]))
        return "an HTML page, perhaps an error message saved as a file" if is_page else "an XML document"
    if _JSON.match(plain):
        return "a JSON document"
    if _ARFF.match(plain):
        return "an ARFF file (Weka)"
    if _SQL.match(plain):
        return "an SQL script"
    if _DRAWN.match(plain):
        return "a table drawn with bars and dashes, as in Markdown"
    return None


def _is_ebcdic(head: bytes) -> bool:
    """Recognise mainframe text: no ASCII line ends, and printable throughout when read as EBCDIC."""
    if len(head) < 64 or head.isascii() or b"\n" in head or b"\0" in head:
        return False
    text = head.translate(None, _EBCDIC_NEWLINES).decode("cp500")
    n_digits = sum(0xF0 <= byte <= 0xF9 for byte in head)
    return text.isprintable() and n_digits > 0 and any(mark in text for mark in ",;|")


def _is_word(head: bytes, signature: bytes) -> bool:
    """Tell a header that merely begins like a signature (`ORCHARD,age`) from the signature."""
    following = head[len(signature) : len(signature) + 32]
    return signature.isalnum() and bool(re.match(rb"[\w ]*[,;|\t\r\n]", following))


def _zip_kind(head: bytes) -> str:
    if b"xl/" in head or b"[Content_Types]" in head:
        return "an Excel workbook (xlsx, a binary zip archive)"
    if b"mimetypeapplication/vnd.oasis" in head:
        return "an OpenDocument file (a binary zip archive)"
    return "a zip archive (binary)"
