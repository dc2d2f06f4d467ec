"""Read what a failed command printed."""

import subprocess


def complaint(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the one clear line that a failed command printed."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]
