"""A select box is the same as Django's, but for blanks between its tags."""

import pytest
from django import forms
from django.test.html import parse_html

from core.pages.forms.select_box import SelectBox

CHOICES = [("", "Any"), ("a&b", 'A & B "quoted"'), ("<i>", "Less <than>"), ("11", "11 Office")]


@pytest.mark.parametrize("value", ["", None, "a&b", "11", "not there"])
@pytest.mark.parametrize("attributes", [{}, {"id": "id_pos", "aria-invalid": "true", "disabled": True, "title": '"'}])
def test_is_the_same_as_that_of_django(value: str | None, attributes: dict[str, object]) -> None:
    given = {"class": "wide"}
    expected = forms.Select(given, CHOICES).render("pos", value, attributes)
    assert parse_html(SelectBox(given, CHOICES).render("pos", value, attributes)) == parse_html(expected)


def test_belongs_to_a_form_as_any_other() -> None:
    class Form(forms.Form):
        pos = forms.CharField(widget=SelectBox(choices=CHOICES), required=False)

    assert '<option value="11" selected>11 Office</option>' in str(Form({"pos": "11"})["pos"])
