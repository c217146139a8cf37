"""Bytes of a file: compression by content, text by encoding."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

from autometa.foundation.errors import DataWarning, FileFormatError

__all__ = ["COMPRESSIONS", "decompressed", "encoding_of", "start_of"]

COMPRESSIONS = (".bz2", ".gz", ".xz")
_DECOMPRESSORS: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress,
    b"BZh": bz2.decompress,
    b"\xfd7zXZ\x00": lzma.decompress,
}
# The longer marks first: that of UTF-16 is the beginning of that of UTF-32.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SAMPLE_BYTES = 64 * 1024
# Text has hardly any control characters; a binary file has one in about ten bytes.
MAX_CONTROL_SHARE = 0.02
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\v\x1a\x1b"))


def start_of(file: Path) -> bytes:
    """Return the first 64 bytes of a file, as they lie on disk.

    Parameters
    ----------
    file : Path

    Returns
    -------
    bytes
    """
    with file.open("rb") as stream:
        return stream.read(64)


def decompressed(file: Path) -> bytes:
    """Return the content of a file, decompressed if its first bytes say gzip, bzip2 or xz.

    Parameters
    ----------
    file : Path

    Returns
    -------
    bytes

    Raises
    ------
    FileFormatError
        If it is compressed and damaged.
    """
    content = file.read_bytes()
    for magic, decompress in _DECOMPRESSORS.items():
        if content.startswith(magic):
            try:
                return decompress(content)
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
                raise FileFormatError(
                    f"The compressed file {file} is damaged or was cut off: {error}. Copy or write it again.",
                    path=str(file),
                ) from error
    return content


def encoding_of(content: bytes, file: Path) -> str:
    """Find the encoding of text: by its byte-order mark, as UTF-16 without one, as UTF-8, else Windows-1252.

    Parameters
    ----------
    content : bytes
    file : Path
        Named in errors.

    Returns
    -------
    str
        One that decodes all of `content`.

    Raises
    ------
    FileFormatError
        If it is no text, or nothing but white space.

    Warns
    -----
    DataWarning
        If it is Windows-1252 for want of anything better.
    """
    encoding = _stated_encoding(content)
    if encoding is None and _is_binary(content[:SAMPLE_BYTES]):
        raise FileFormatError(
            f"{file} is no text file: it holds binary data. Save the table as CSV or Parquet.", path=str(file)
        )
    try:
        text = content.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding is None:
            return _western(content, file, error.start)
        raise FileFormatError(
            f"{file} begins as {encoding} text but is not: {error.reason} at byte {error.start}. It may have been "
            "cut off; save it again as UTF-8.",
            path=str(file),
        ) from error
    if not text.strip("\ufeff \t\r\n"):
        raise FileFormatError(f"The file {file} is empty: it holds nothing but white space.", path=str(file))
    return encoding or "utf-8"


def _western(content: bytes, file: Path, position: int) -> str:
    line = content.count(b"\n", 0, position) + 1
    warnings.warn(
        f"{file} is not UTF-8 (line {line}); it was read as Windows-1252. If names or categories look wrong, save "
        "it as UTF-8.",
        DataWarning,
        stacklevel=7,
    )
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _stated_encoding(content: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    sample = content[: SAMPLE_BYTES & ~1]
    # Western text in UTF-16 has a zero in every second byte, and none in the others.
    for encoding, zeros, others in (
        ("utf-16-le", sample[1::2], sample[::2]),
        ("utf-16-be", sample[::2], sample[1::2]),
    ):
        if len(zeros) > 2 and zeros.count(0) > 0.7 * len(zeros) and others.count(0) == 0:
            return encoding
    return None


def _is_binary(sample: bytes) -> bool:
    return b"\x00" in sample or len(sample) - len(sample.translate(None, _CONTROL)) > MAX_CONTROL_SHARE * len(
        sample
    )
