"""Where the project and the public test data are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The project's own folder."""

SHARED = ROOT.parent / "shared" / "data"
"""Public files for tests, beside the project where they are there at all."""
