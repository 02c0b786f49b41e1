"""Identifiers: unguessable, safe in addresses, and short where people read them aloud."""

import re
import secrets

from vitrina.kernel.text import words

# Crockford's base 32: no I, L, O, U, so that a number read over the phone arrives intact.
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{22}")
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SKU = re.compile(r"[A-Z0-9]+(?:[-.][A-Z0-9]+)*")


def new_id() -> str:
    """128 random bits as 22 characters of base64url."""
    return secrets.token_urlsafe(16)


def is_id(text: str) -> bool:
    """Whether ``text`` has the form that ``new_id`` gives."""
    return _OPAQUE.fullmatch(text) is not None


def new_number() -> str:
    """A number for people, such as ``7K3M-9QXD-2V``: 50 random bits, so it counts nothing."""
    digits = "".join(secrets.choice(_CROCKFORD) for _ in range(10))
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"


def slug_of(text: str) -> str:
    """Lower-case ASCII words joined by hyphens; empty when nothing of ``text`` can be kept."""
    plain = " ".join(words(text)).encode("ascii", "ignore").decode()
    return "-".join(plain.split())
