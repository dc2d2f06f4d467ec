"""Damage files of a store in tests."""

from pathlib import Path


def flip_bit(path: Path, bit: int) -> None:
    """Flip one bit of a file, counted from its beginning."""
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    _write_over(path, bytes(content))


def cut_short(path: Path, size: int) -> None:
    """Keep only the first bytes of a file."""
    _write_over(path, path.read_bytes()[:size])


def cut_off_end(path: Path) -> None:
    """Cut off the last bytes of a file."""
    _write_over(path, path.read_bytes()[:-20])


def _write_over(path: Path, content: bytes) -> None:
    # Files may be hard links to those of another store, which must not be damaged with this one.
    path.unlink()
    path.write_bytes(content)
