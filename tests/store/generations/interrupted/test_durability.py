"""What a power cut must not take away: everything is on disk before the manifest names it."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.store.generations.store import Store
from tests.store.steps import load_made_file


@dataclass
class DiskCalls:
    """The order of syncs and renames below a directory."""

    root: Path
    calls: list[tuple[str, str]] = field(default_factory=list)
    copy_at_rename: bytes = b""
    """The newest file of manifests/ at the moment when manifest.json was replaced."""

    def sync(self, descriptor: int) -> None:
        self._add("sync", str(Path(f"/proc/self/fd/{descriptor}").readlink()))

    def replace(self, source: object, target: object) -> None:
        if Path(str(target)) == self.root / "manifest.json":
            self.copy_at_rename = max((self.root / "manifests").glob("*.json")).read_bytes()
        self._add("rename", str(target))
        Path(str(source)).rename(str(target))

    def _add(self, call: str, path: str) -> None:
        if Path(path).is_relative_to(self.root):
            self.calls.append((call, str(Path(path).relative_to(self.root))))


@pytest.mark.parametrize("layout", ["single", "partitioned"])
def test_files_and_folders_are_synced_before_the_manifest_names_them(
    tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "data", layout)
    load_made_file(store, tmp_path, 0)
    before = {file.path for file in store.loaded().files}
    disk = DiskCalls(store.root)
    monkeypatch.setattr(os, "fsync", disk.sync)
    monkeypatch.setattr(os, "replace", disk.replace)
    load_made_file(store, tmp_path, 1)
    monkeypatch.undo()
    new = {Path(file.path) for file in store.loaded().files if file.path not in before}
    folders = {folder for path in new for folder in path.parents if folder.parts}
    published = disk.calls.index(("rename", "manifest.json"))
    synced = {path for call, path in disk.calls[:published] if call == "sync"}
    assert len(new) > 1
    assert {str(path) for path in (*new, *folders)} <= synced
    assert {".manifest.json.next", "manifests"} <= synced, "the manifest's text, and the folder of its copy"
    assert disk.calls[published + 1] == ("sync", "."), "the rename itself"


def test_the_copy_of_the_manifest_is_there_before_the_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "data")
    disk = DiskCalls(store.root)
    monkeypatch.setattr(os, "replace", disk.replace)
    load_made_file(store, tmp_path, 0)
    assert disk.copy_at_rename == store.manifest_path.read_bytes()
