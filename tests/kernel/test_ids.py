"""Identifiers cannot be guessed, and are safe in addresses."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina.kernel.ids import SLUG, is_id, new_id, new_number, slug_of


def test_an_id_has_the_form_that_is_recognised() -> None:
    assert all(is_id(new_id()) for _ in range(100))


@pytest.mark.parametrize("text", ["", "short", "x" * 21, "x" * 23, "x" * 21 + "!", "x" * 21 + "\n"])
def test_anything_else_is_no_id(text: str) -> None:
    assert not is_id(text)


def test_numbers_for_people_avoid_letters_that_are_misheard() -> None:
    numbers = {new_number() for _ in range(1000)}

    assert len(numbers) == 1000
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-..", n) for n in numbers)


@given(st.text())
def test_a_slug_is_empty_or_well_formed(text: str) -> None:
    slug = slug_of(text)

    assert slug == "" or SLUG.fullmatch(slug)


def test_accents_fold_into_plain_letters() -> None:
    assert slug_of("Fauteuil Été — n° 4") == "fauteuil-ete-n-4"
