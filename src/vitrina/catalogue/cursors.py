"""Opaque marks of where a listing goes on. Each belongs to one listing and proves it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from hashlib import blake2b

from vitrina.catalogue.errors import BadCursor

MAX_CURSOR_LENGTH = 400
_CHECK_BYTES = 6


def to_cursor(listing: str, mark: str) -> str:
    """
    Args:
        listing: everything the listing depends on, its order and filters, as one text.
        mark: what the listing needs in order to go on.
    """
    return urlsafe_b64encode(_check(listing, mark) + mark.encode()).decode().rstrip("=")


def from_cursor(listing: str, cursor: str) -> str:
    """The mark that ``to_cursor`` was given for the same listing.

    Raises:
        BadCursor: damaged, invented, or of another listing.
    """
    if len(cursor) > MAX_CURSOR_LENGTH or not cursor.isascii():
        raise BadCursor
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        mark = raw[_CHECK_BYTES:].decode()
    except (NotBase64, UnicodeDecodeError):
        raise BadCursor from None
    # Not a secret: it tells a mistake from a cursor. What a forged mark could name is public.
    if raw[:_CHECK_BYTES] != _check(listing, mark) or to_cursor(listing, mark) != cursor:
        raise BadCursor
    return mark


def _check(listing: str, mark: str) -> bytes:
    return blake2b(f"{listing}\n{mark}".encode(), digest_size=_CHECK_BYTES).digest()
