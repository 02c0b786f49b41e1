"""Words, whatever script and case they are typed in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina.kernel.ids import SLUG, slug_of
from vitrina.kernel.text import words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Oak chair, 2 pcs.", ["oak", "chair", "2", "pcs"]),
        ("Sofá-Übergröße", ["sofa", "ubergrosse"]),
        ("smørrebrød & ŒUVRE", ["smorrebrod", "oeuvre"]),
        ("snake_case", ["snake", "case"]),
        ("ﬁne İstanbul 𝓐", ["fine", "istanbul", "a"]),
        ("Тёплый 椅子", ["теплыи", "椅子"]),
        ("!!! \x00", []),
    ],
)
def test_words_of_a_text(text: str, found: list[str]) -> None:
    assert words(text) == found


@given(st.text(max_size=40))
def test_words_are_their_own_words_and_slugs_are_slugs(text: str) -> None:
    found = words(text)
    slug = slug_of(text)

    assert words(" ".join(found)) == found
    assert slug == "" or SLUG.fullmatch(slug)
