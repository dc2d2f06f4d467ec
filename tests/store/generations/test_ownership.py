"""Who may read the data directory may read all of it. Whoever would spoil that is told before anything is written."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from core.store.generations.integrity.damage import newest_intact
from core.store.generations.ownership import list_cautions, require_owner
from core.store.generations.store import Store, StoreError
from core.store.upkeep.backup import back_up
from tests.stores import change, listing

LOCKS = (".lock", "pins")
"""What only writers and backups use."""

SOMEONE = 54321
"""A user that no system has."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def closed(root: Path, bits: int) -> list[str]:
    """Return what lacks some of these bits, of a file those to read."""
    return [
        str(path.relative_to(root))
        for path in root.rglob("*")
        if not path.is_symlink()
        and path.name not in LOCKS
        and bits & (0o777 if path.is_dir() else 0o666) & ~path.stat().st_mode
    ]


@pytest.mark.parametrize("mask", [0o077, 0o027, 0o022, 0o000])
@pytest.mark.parametrize("mode", [0o755, 0o750, 0o700])
def test_new_files_follow_the_directory_whatever_the_umask(tmp_path: Path, mask: int, mode: int) -> None:
    store = Store(tmp_path / "data", grace=0)
    store.root.mkdir()
    store.root.chmod(mode)
    with umask(mask):
        change(store, "a")
        change(store, "b")
        back_up(store, tmp_path / "backup")
    assert closed(store.root, mode) == []
    everything = [path for path in store.root.rglob("*") if not path.is_symlink() and path.name not in LOCKS]
    assert not any(path.stat().st_mode & 0o777 & ~mode for path in everything), "nobody else may read it either"
    with umask(mask):
        assert os.umask(mask) == mask, "the umask is the caller's again"


def test_a_new_directory_that_only_the_loader_could_read_is_told(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with umask(0o022):
        assert list_cautions(root) == []
    with umask(0o077):
        (caution,) = list_cautions(root)
        assert f"{root} is new, and with this umask (077) only " in caution
        assert caution.endswith(f"install -d -m 755 {root}")
        root.mkdir()
        root.chmod(0o755)
        assert list_cautions(root) == []


def test_a_folder_that_was_closed_before_is_told(store: Store) -> None:
    change(store, "a")
    store.root.chmod(0o755)
    (store.root / "manifests").chmod(0o700)
    assert list_cautions(store.root) == [
        f"{store.root}/manifests is closed to users who may read {store.root}: manage.py store repair opens it"
    ]


@needs_root
def test_root_is_refused_in_the_store_of_another_user(store: Store) -> None:
    change(store, "a")
    before = listing(store.root)
    os.chown(store.root, SOMEONE, SOMEONE)
    with pytest.raises(StoreError) as refused:
        change(store, "b")
    assert f"{store.root} belongs to the user #{SOMEONE}, who could not replace what root writes" in str(refused.value)
    assert f"nothing has been written; run the command as that user: sudo -u #{SOMEONE}" in str(refused.value)
    assert listing(store.root) == before


@needs_root
def test_the_names_of_users_are_told(store: Store) -> None:
    change(store, "a")
    os.chown(store.root, 1, 1)
    with pytest.raises(StoreError, match=r"belongs to the user (daemon|bin), .* sudo -u (daemon|bin)"):
        change(store, "b")


def become_someone(root: Path) -> None:
    """Let this process, which is one of its own, go on as a user who may read what everyone may read."""
    if os.geteuid() == 0:
        root.parent.chmod(0o755)
        os.seteuid(SOMEONE)


def in_a_process_of_someone(root: Path, function: Callable[[Path], object]) -> object:
    """Return what a function of a store's directory answers to a user who is not root.

    In a process of its own: all threads of this one would become that user, those that other tests have left too.
    """
    with ProcessPoolExecutor(1, get_context("spawn"), become_someone, (root,)) as process:
        return process.submit(function, root).result()


def test_a_user_who_may_write_only_some_of_the_store_is_refused() -> None:
    with TemporaryDirectory() as name:  # not below a folder that only its owner may enter
        store = Store(Path(name) / "data")
        change(store, "a")
        (store.root / "manifests").chmod(0o555)
        if os.geteuid() == 0:
            os.chown(store.root, SOMEONE, SOMEONE)
        with pytest.raises(
            StoreError, match=r"/(files|manifests) belongs to the user .*; nothing has been written;.*chown"
        ):
            in_a_process_of_someone(store.root, require_owner)


@pytest.mark.parametrize("closed_to_others", ["a file", "the store"])
def test_a_generation_that_this_user_may_not_read_is_not_intact(closed_to_others: str) -> None:
    # A thread of the site looks for a generation to go back to, and must not end there.
    with TemporaryDirectory() as name:  # not below a folder that only its owner may enter
        store = Store(Path(name) / "data")
        change(store, "a")
        assert newest_intact(store.root)
        closed = store.root if closed_to_others == "the store" else Path(store.paths("dim_payer_bridge")[0])
        closed.chmod(0)
        assert in_a_process_of_someone(store.root, newest_intact) is None
        store.root.chmod(0o700)
