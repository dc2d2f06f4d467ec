"""Words of a price, which no search looks for."""

import pytest

from core.vocabulary.price_words import set_aside_price


@pytest.mark.parametrize(
    ("text", "rest", "price"),
    [
        ("knee MRI in Dallas under $300", "knee MRI in Dallas", "under $300"),
        ("knee mri $300", "knee mri", "$300"),
        ("mri less than 1,500 dollars in tx", "mri in tx", "less than 1,500 dollars"),
        ("under $300 knee mri", "knee mri", "under $300"),
        ("colonoscopy for up to $2,000 or less, GA", "colonoscopy , GA", "for up to $2,000 or less"),
        ("mri $200-$300", "mri", "$200-$300"),
        ("$300", "", "$300"),
        ("99213", "99213", ""),
        ("drg 470 below knee", "drg 470 below knee", ""),
        ("A$AP 3 clinic", "A$AP 3 clinic", ""),
    ],
)
def test_a_price_is_set_aside(text: str, rest: str, price: str) -> None:
    assert set_aside_price(text) == (rest, price)
