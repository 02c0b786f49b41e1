"""Text as people type it, made comparable."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
# Letters that Unicode does not take apart into a base and a mark.
_LETTERS = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i", "þ": "th"})


def words(text: str) -> list[str]:
    """The words of a text without case and marks: ``Sofá-Übergröße`` -> sofa, ubergrosse."""
    if text.isascii():
        return _WORD.findall(text.lower())
    # Taken apart first and last: 𝓐 has a lower case only once it is an A.
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return _WORD.findall(plain.translate(_LETTERS))
