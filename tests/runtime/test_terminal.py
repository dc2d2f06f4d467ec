"""Text that is safe to write to a terminal."""

from core.runtime.terminal import printable


def test_control_characters_are_replaced() -> None:
    assert printable("a\x1b[31mb") == "a\ufffd[31mb"
    for code in [*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0x200E, 0x202E, 0x2066, 0xD800]:
        assert printable(f"a{chr(code)}b") == "a\ufffdb", hex(code)


def test_text_tabs_and_line_breaks_are_kept() -> None:
    text = "Peach Health – 99213\t$1\né 漢 😀 ~ \u00a0"
    assert printable(text) == text
