"""Rows of a damaged SQLite file, read from its pages without SQLite.

SQLite refuses a file whose pages are not all there, and finds no row below a page that
is lost. A log is only ever appended to, so its rows lie in leaf pages that nothing else
uses; they are read one by one. The format: https://www.sqlite.org/fileformat2.html,
sections 1.3 (header), 1.6 (pages) and 2.1 (records).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

MAGIC: Final = b"SQLite format 3\0"
_LEAF: Final = 13
_HEADER: Final = 8
_NUMBERS: Final = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}
"""By serial type, the bytes of a whole number; 0, 8 and 9 stand for None, 0 and 1."""

Value: TypeAlias = "int | str | None"


def page_size(data: bytes) -> int:
    """Returns the bytes of a page, 0 where the file's header does not tell."""
    size = int.from_bytes(data[16:18], "big")
    size = 65536 if size == 1 else size
    known = data.startswith(MAGIC) and 512 <= size <= 65536 and size & (size - 1) == 0
    return size if known else 0


def page_count(data: bytes) -> int:
    """Returns how many pages the header says that there are."""
    return int.from_bytes(data[28:32], "big")


def rows(data: bytes) -> Iterator[tuple[int, list[Value]]]:
    """Yields the number and the columns of every row that can be read, in no order.

    Rows of SQLite's own table on the first page are left out.
    """
    size = page_size(data)
    if not size:
        return
    usable = size - data[20]
    for start in range(size, len(data), size):
        page = data[start : start + size]
        if page[:1] != bytes([_LEAF]):
            continue
        for cell in range(int.from_bytes(page[3:5], "big")):
            place = _HEADER + 2 * cell
            offset = int.from_bytes(page[place : place + 2], "big")
            try:
                yield _row(data, page, offset, size, usable)
            except (IndexError, ValueError, UnicodeDecodeError):
                continue


def _row(data: bytes, page: bytes, offset: int, size: int, usable: int) -> tuple[int, list[Value]]:
    length, offset = _varint(page, offset)
    number, offset = _varint(page, offset)
    local = _local(length, usable)
    payload = _exactly(page, offset, local)
    if local < length:
        follows = int.from_bytes(_exactly(page, offset + local, 4), "big")
        payload += _overflow(data, follows, length - local, size, usable)
    return number, _columns(payload)


def _local(length: int, usable: int) -> int:
    """Returns how many bytes of a payload lie in the leaf itself."""
    most = usable - 35
    if length <= most:
        return length
    least = (usable - 12) * 32 // 255 - 23
    fitting = least + (length - least) % (usable - 4)
    return fitting if fitting <= most else least


def _overflow(data: bytes, page: int, left: int, size: int, usable: int) -> bytes:
    parts = []
    while left > 0:
        if page == 0:
            raise ValueError("a chain of pages that ends too early")
        start, take = (page - 1) * size, min(left, usable - 4)
        page = int.from_bytes(_exactly(data, start, 4), "big")
        parts.append(_exactly(data, start + 4, take))
        left -= take
    return b"".join(parts)


def _columns(payload: bytes) -> list[Value]:
    head, place = _varint(payload, 0)
    kinds = []
    while place < head:
        kind, place = _varint(payload, place)
        kinds.append(kind)
    values: list[Value] = []
    for kind in kinds:
        width = _NUMBERS[kind] if kind in _NUMBERS else _text_width(kind)
        values.append(_value(kind, _exactly(payload, place, width)))
        place += width
    return values


def _text_width(kind: int) -> int:
    if kind < 13 or kind % 2 == 0:
        raise ValueError(f"a column of type {kind}, which logs do not have")
    return (kind - 13) // 2


def _value(kind: int, raw: bytes) -> Value:
    if kind >= 13:
        return raw.decode()
    if kind in (0, 8, 9):
        return {0: None, 8: 0, 9: 1}[kind]
    return int.from_bytes(raw, "big", signed=True)


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Returns the number of one to nine bytes at a place, and the place behind it."""
    value = 0
    for count in range(8):
        byte = data[place + count]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + count + 1
    return value << 8 | data[place + 8], place + 9


def _exactly(data: bytes, start: int, count: int) -> bytes:
    found = data[start : start + count]
    if len(found) != count:
        raise ValueError("bytes that are not there")
    return found
