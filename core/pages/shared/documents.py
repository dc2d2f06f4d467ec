"""The documents of docs/ as HTML, rendered once in each process.

Raw HTML in them is shown as text, no element has a style of its own, headings have ids as GitHub gives them, and links
from document to document lead to their pages here; a link to a file that has no page is its text alone.
"""

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.token import Token

FIRST = "method"
"""The document that links to the others."""

DICTIONARY = "data-dictionary"
"""The document that has its own page, made from the same declarations."""


MAX_OPEN_SECTIONS = 15
"""The sections of a longer document are folded: on a phone it is 50 screens long, and nobody reads all of it."""


@dataclass(frozen=True)
class Heading:
    """A heading within a document."""

    level: int
    anchor: str
    text: str


@dataclass(frozen=True)
class Document:
    """One document: its path below docs/ without .md, its title, and its HTML (without it) with its headings."""

    name: str
    title: str
    html: SafeString
    headings: list[Heading]


@cache
def names() -> dict[str, Path]:
    """Return the paths of all documents by name. A folder's README.md is not among them: its page lists the folder."""
    root: Path = settings.BASE_DIR / "docs"
    paths = (path for path in sorted(root.rglob("*.md")) if path.name != "README.md")
    return {path.relative_to(root).with_suffix("").as_posix(): path for path in paths}


@cache
def document(name: str) -> Document | None:
    """Return the document with that name; None if it does not exist."""
    path = names().get(name)
    if path is None:
        return None
    markdown = _markdown()
    tokens = markdown.parse(path.read_text(encoding="utf-8"))
    headings = list(_mark_headings(tokens))
    for token in tokens:
        _restyle(token)
        _mend_links(token.children or [], posixpath.dirname(name))
    title = next((heading.text for heading in headings if heading.level == 1), name)
    if headings and headings[0].level == 1:
        tokens = tokens[3:]  # opening, text and end: the page has its title elsewhere
    sections = [heading for heading in headings if heading.level == 2]
    if len(sections) > MAX_OPEN_SECTIONS:
        tokens = list(_fold_sections(tokens))
    html = markdown.renderer.render(tokens, markdown.options, {})
    return Document(name, title, SafeString(html), [heading for heading in headings if heading.level > 1])


@cache
def inline(text: str) -> SafeString:
    """Return a sentence of Markdown as HTML."""
    return SafeString(_markdown().renderInline(text))


def address(name: str) -> str:
    """Return the address of a document's page."""
    if name == DICTIONARY:
        return reverse("dictionary")
    return reverse("method") if name == FIRST else reverse("method_page", kwargs={"name": name})


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    # A table wider than a phone scrolls by itself.
    markdown.add_render_rule("table_open", lambda *_: '<div class="scroll"><table>')
    markdown.add_render_rule("table_close", lambda *_: "</table></div>")
    return markdown


def _mark_headings(tokens: list[Token]) -> Iterator[Heading]:
    """Give every heading a unique id, and yield the headings."""
    seen: dict[str, int] = {}
    for token, content in itertools.pairwise(tokens):
        if token.type == "heading_open":
            text = "".join(child.content for child in content.children or [])
            anchor = re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")
            seen[anchor] = seen.get(anchor, -1) + 1
            anchor += f"-{seen[anchor]}" if seen[anchor] else ""
            token.attrSet("id", anchor)
            yield Heading(int(token.tag[1:]), anchor, text)


def _fold_sections(tokens: list[Token]) -> Iterator[Token]:
    """Yield the tokens with each section of the second level folded below its heading.

    The anchor is within what is folded: a link to it opens the section, without a script.
    """
    anchor, is_open = "", False
    for token in tokens:
        if token.type == "heading_open" and token.tag == "h2":
            anchor = str(token.attrs.pop("id"))
            yield _as_it_is(f"{'</div></details>' if is_open else ''}<details><summary>")
            is_open = True
        yield token
        if token.type == "heading_close" and token.tag == "h2":
            yield _as_it_is(f'</summary><div id="{anchor}">')
    if is_open:
        yield _as_it_is("</div></details>")


def _as_it_is(html: str) -> Token:
    """Return a token that is rendered as this HTML. Text of a document never becomes one."""
    return Token("html_block", "", 0, content=f"{html}\n")


def _restyle(token: Token) -> None:
    """Replace inline styles, which the site's policy forbids, by classes, and let long lines scroll by keyboard."""
    style = str(token.attrs.pop("style", ""))
    if style == "text-align:right":
        token.attrSet("class", "n")
    if token.type == "th_open":
        token.attrSet("scope", "col")
    if token.type == "fence":
        token.type = "code_block"  # whose attributes go to the element that scrolls
    if token.type == "code_block":
        token.attrSet("tabindex", "0")


def _mend_links(tokens: list[Token], folder: str) -> None:
    """Make the links of a document in a folder of docs/ lead to pages, and its pictures show: they are in static/."""
    dropped = False
    for token in tokens:
        if token.type == "image":
            picture = posixpath.normpath(posixpath.join("docs", folder, str(token.attrGet("src"))))
            token.attrSet("src", static(picture.removeprefix("static/")))
        if token.type == "link_open":
            target = _page_of(str(token.attrGet("href") or ""), folder)
            dropped = target is None
            if target is not None:
                token.attrSet("href", target)
        if dropped and token.type in {"link_open", "link_close"}:
            token.type, token.tag, token.nesting, token.content = "text", "", 0, ""


def _page_of(target: str, folder: str) -> str | None:
    """Return the address that a link leads to on the site; None if its target has no page."""
    if re.match(r"[a-z]+:|#", target):
        return target
    path, _, anchor = target.partition("#")
    name = posixpath.normpath(posixpath.join(folder, path)).removesuffix(".md")
    if name not in names():
        return None
    return address(name) + (f"#{anchor}" if anchor else "")


def in_order(documents: Mapping[str, Path], folder: str) -> list[Document]:
    """Return the documents of a folder, sorted by name."""
    found = (document(name) for name in sorted(documents) if posixpath.dirname(name) == folder)
    return [one for one in found if one is not None]
