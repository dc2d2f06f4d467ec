"""Files in every packing, whole and broken."""

import bz2
import gzip
import hashlib
import json
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest

from core.runtime.errors import PayerFileError
from core.tic.source import EXTRA_BYTES, Source, UnpackLimits, expand_paths, open_container, open_documents
from tests.zip_files import zip_of

CONTENT = b'{"reporting_entity_name": "Payer"}' * 40_000


def read(source: Source) -> bytes:
    return b"".join(source.read_blocks())


@pytest.mark.parametrize("name", ["a.json", "a.json.gz", "a.zip", "a"])
@pytest.mark.parametrize("packing", ["plain", "gzip", "two gzip members", "gzip twice", "zip", "gzip in zip"])
def test_packing_is_recognized_by_content_and_the_id_is_the_json_s(tmp_path: Path, name: str, packing: str) -> None:
    path = tmp_path / name
    packed = gzip.compress(CONTENT)
    if packing == "zip":
        zip_of(path, ("rates.json", CONTENT))
    elif packing == "gzip in zip":
        zip_of(path, ("rates.json.gz", packed))
    else:
        path.write_bytes(
            {
                "plain": CONTENT,
                "gzip": packed,
                "two gzip members": gzip.compress(CONTENT[:99]) + gzip.compress(CONTENT[99:]),
                "gzip twice": gzip.compress(packed),
            }[packing]
        )
    (source,) = open_documents(path)
    assert read(source) == CONTENT
    assert source.batch_id == hashlib.sha256(CONTENT).hexdigest()[:32]
    assert source.bytes_read == len(CONTENT)
    if packing in {"plain", "gzip", "zip"}:
        assert source.json_size == len(CONTENT)


def test_each_member_of_a_zip_file_is_a_document(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", ("x/1.json", b"1"), ("x/", b""), ("2.json", b"2"), ("__MACOSX/2.json", b"junk"))
    found = open_documents(path)
    assert [(source.name, read(source)) for source in found] == [("a.zip/x/1.json", b"1"), ("a.zip/2.json", b"2")]


@pytest.mark.parametrize("kept", [2, 10, 17, 500, -9, -1])
def test_a_gzip_file_that_was_cut_short_is_an_error(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(CONTENT)[:kept])
    with pytest.raises(
        PayerFileError, match=r"a\.json\.gz: the compressed file ends after [\d,]+ bytes of JSON.*cut short"
    ):
        read(open_documents(path)[0])


@pytest.mark.parametrize(
    ("extra", "count"),
    [
        (b"hello world!", 12),
        (b"\n", 1),
        (b"\x1f", 1),
        (b"\x1f\x8b not another member", 21),
        (b"\0" * 99, 0),
        (b"\0\0\0hello", 5),
        (b"hello\0\0", 7),
        (gzip.compress(b"", mtime=0)[:7], 7),
        (gzip.compress(b"", mtime=0) + b"hello", 5),
        (b"x" * 2_000_000, 2_000_000),
    ],
)
@pytest.mark.parametrize("packing", ["gzip", "two members", "gzip twice", "gzip in zip"])
def test_bytes_behind_a_gzip_stream_are_ignored_and_counted(
    tmp_path: Path, extra: bytes, count: int, packing: str
) -> None:
    packed = gzip.compress(CONTENT[:99]) + gzip.compress(CONTENT[99:]) if packing == "two members" else None
    packed = (packed or gzip.compress(CONTENT)) + extra
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(packed) if packing == "gzip twice" else packed)
    if packing == "gzip in zip":
        zip_of(path, ("a.json.gz", packed))
    (source,) = open_documents(path)
    assert read(source) == CONTENT
    assert source.batch_id == hashlib.sha256(CONTENT).hexdigest()[:32]
    assert source.notes == ({EXTRA_BYTES: count} if count else {})
    assert read(source) == CONTENT, "it can be read again"


def test_a_second_member_that_is_cut_short_is_no_extra_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(CONTENT[:99]) + gzip.compress(CONTENT[99:])[:-20])
    with pytest.raises(PayerFileError, match="cut short"):
        read(open_documents(path)[0])


def test_a_damaged_gzip_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    packed = bytearray(gzip.compress(CONTENT))
    packed[-6] ^= 1
    path.write_bytes(packed)
    with pytest.raises(PayerFileError, match="damaged after"):
        read(open_documents(path)[0])


def test_a_zip_file_that_is_cut_short_empty_or_encrypted_is_an_error(tmp_path: Path) -> None:
    whole = zip_of(tmp_path / "a.zip", ("1.json", CONTENT)).read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole[:-30])
    with pytest.raises(
        PayerFileError, match=r"cut\.zip: the zip file ends before its own table of contents; .*cut short"
    ):
        open_documents(cut)
    with pytest.raises(PayerFileError, match="contains no file"):
        open_documents(zip_of(tmp_path / "empty.zip"))
    locked = bytearray(whole)
    locked[6] |= 1  # the flag of the member's own header …
    locked[whole.index(b"PK\x01\x02") + 8] |= 1  # … and of the directory's
    (tmp_path / "locked.zip").write_bytes(locked)
    with pytest.raises(PayerFileError, match="encrypted; unpack it first"):
        read(open_documents(tmp_path / "locked.zip")[0])


def test_members_that_are_plainly_not_data_are_skipped_and_named(tmp_path: Path) -> None:
    others = {
        "readme.txt": b"hello",
        "LICENSE": b"free",
        "notes.pdf": b"%PDF-1.7",
        "plan.xlsx": b"PK\x03\x04 a workbook",
        "a.csv": b"code,rate",
        ".DS_Store": b"\0\0\0\1Bud1",
        "__MACOSX/._a.json": b"{}",
        "._a.json": b"\0\5",
        ".hidden/a.json": b"{}",
        "Thumbs.db": b"{",
        "sub/desktop.ini": b"[x]",
        "empty.txt": b"",
    }
    data = {
        "a.json": b"1",
        "sub/b": b' {"x": 1}',
        "c.txt": gzip.compress(b"{}"),
        "d.dat": b"\xef\xbb\xbf[1]",
        "e.json": b"",
    }
    path = zip_of(tmp_path / "a.zip", *others.items(), ("dir/", b""), *data.items())
    found = open_container(path)
    assert found.skipped == list(others)
    assert [source.member for source in found.documents] == list(data)
    with pytest.raises(
        PayerFileError, match=r"none\.zip: the zip file contains only readme.txt, LICENSE, notes.pdf and"
    ):
        open_documents(zip_of(tmp_path / "none.zip", *others.items()))


def test_members_of_one_name_are_different_documents(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zip_of(tmp_path / "a.zip", ("a.json", b"1"), ("a.json", b"22"))
    assert [(source.member, read(source)) for source in open_documents(path)] == [("a.json", b"1"), ("a.json#2", b"22")]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_are_unpacked_and_damage_is_told(tmp_path: Path, method: int) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as packed:
        packed.writestr("a.json", CONTENT[:5000])
    assert read(open_documents(path)[0]) == CONTENT[:5000]
    damaged = bytearray(path.read_bytes())
    damaged[45] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(PayerFileError, match=r"a\.zip/a\.json: .*damaged.*download it again"):
        read(open_documents(path)[0])


@pytest.mark.parametrize(("method", "name"), [(9, "Deflate64"), (93, "Zstandard"), (98, "PPMd"), (77, "an unusual")])
def test_a_member_packed_by_another_method_is_told_and_others_are_read(tmp_path: Path, method: int, name: str) -> None:
    path = zip_of(tmp_path / "a.zip", ("a.json", b"{}"), ("b.json", b"1"))
    content = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = content.index(signature) + place
        content[at : at + 2] = method.to_bytes(2, "little")
    path.write_bytes(content)
    first, second = open_documents(path)
    with pytest.raises(
        PayerFileError, match=rf"a\.zip/a\.json: packed with {name}.* \(zip method {method}\).* unpack it"
    ):
        read(first)
    assert read(second) == b"1"


@pytest.mark.parametrize(
    ("content", "kind"),
    [(bz2.compress(b"{}"), "bzip2"), (b"\x28\xb5\x2f\xfd ", "zstd"), (b"PK\x03\x04", "zip"), (b"<html>", "web page")],
)
@pytest.mark.parametrize("outer", ["gzip", "zip"])
def test_another_file_within_a_packed_one_is_named(tmp_path: Path, content: bytes, kind: str, outer: str) -> None:
    path = tmp_path / "a"
    if outer == "zip":
        zip_of(path, ("inner.json", content), ("good.json", b"1"))
    else:
        path.write_bytes(gzip.compress(content))
    with pytest.raises(PayerFileError, match=f"a {kind}"):
        read(open_documents(path)[0])


def test_a_tar_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        packed.addfile(tarfile.TarInfo("a.json"))
    with pytest.raises(PayerFileError, match="a tar file; expected JSON"):
        read(open_documents(path)[0])


@pytest.mark.parametrize(
    ("content", "kind"), [(bz2.compress(CONTENT), "bzip2"), (lzma.compress(CONTENT), "xz"), (b"%PDF-1.7 x", "PDF")]
)
def test_a_file_packed_in_another_way_is_an_error_that_names_it(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(content)
    with pytest.raises(PayerFileError, match=f"a {kind} file; expected JSON"):
        open_documents(path)


def test_paths_and_globs(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", "[x].json"):
        (tmp_path / name).write_text("{}")
    assert [path.name for path in expand_paths([f"{tmp_path}/*.json", f"{tmp_path}/a.json"])] == [
        "[x].json",
        "a.json",
        "b.json",
    ]
    assert [path.name for path in expand_paths([f"{tmp_path}/[x].json"])] == ["[x].json"]
    with pytest.raises(PayerFileError, match="no such file"):
        expand_paths([f"{tmp_path}/*.gz"])
    with pytest.raises(PayerFileError, match="a directory; expected a file, or a glob in quotes"):
        expand_paths([str(tmp_path)])


def test_progress_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(CONTENT)
    reported: list[tuple[int, int]] = []
    for _ in open_documents(path)[0].read_blocks(lambda done, total: reported.append((done, total))):
        pass
    assert reported[-1] == (len(CONTENT), len(CONTENT))
    assert reported == sorted(reported)


# --- limits on what a file unpacks to ---------------------------------------------------------------------------


def layers(content: bytes, count: int) -> bytes:
    for _ in range(count):
        content = gzip.compress(content, 9)
    return content


@pytest.mark.parametrize("name", ["gzip", "gzip in gzip", "zip", "gzip in zip", "nothing in gzip"])
def test_a_file_that_unpacks_beyond_the_limits_is_refused(tmp_path: Path, name: str) -> None:
    blank = b" " * 20_000_000
    path = tmp_path / "bomb"
    if name == "zip":
        zip_of(path, ("a", blank))
    elif name == "gzip in zip":
        zip_of(path, ("a", layers(blank, 1)))
    elif name == "nothing in gzip":
        path.write_bytes(gzip.compress(gzip.compress(b"") * 500_000, 9))  # the inner layer gives nothing, for long
    else:
        path.write_bytes(layers(blank, name.count("gzip")))
    with pytest.raises(PayerFileError, match=r"bomb.*unpacks to .*more than.*BEACONPOINT_UNPACK_RATIO"):
        read(open_documents(path, limits=UnpackLimits(ratio=200, ratio_from=100_000))[0])


def test_a_limit_on_size_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(CONTENT))
    assert read(open_documents(path, limits=UnpackLimits(unpacked=len(CONTENT)))[0]) == CONTENT
    with pytest.raises(PayerFileError, match=r"unpacks to more than [\d,]+ bytes"):
        read(open_documents(path, limits=UnpackLimits(unpacked=len(CONTENT) - 1))[0])
    path.write_bytes(CONTENT)
    assert read(open_documents(path, limits=UnpackLimits(unpacked=9))[0]) == CONTENT, (
        "a file that is not packed does not unpack"
    )


def test_payers_files_are_far_from_the_limits(tmp_path: Path) -> None:
    """The most uniform rates there can be: one price, for one group, over and over."""
    rates = json.dumps([{"negotiated_rate": 100.0, "service_code": ["11"], "provider_references": [1]}] * 60_000)
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(rates.encode(), 9))
    assert len(rates) / path.stat().st_size < UnpackLimits().ratio
    assert len(read(open_documents(path)[0])) == len(rates)


def test_a_web_page_in_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\n<!DOCTYPE html><html>")
    with pytest.raises(PayerFileError, match=r"a\.json: a web page or XML"):
        open_documents(path)


def test_the_name_of_a_file_from_the_web_is_its_address(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", ("1.json", b"1"), ("2.json", b"2"))
    assert [source.name for source in open_documents(path, name="https://h/a.zip")] == [
        "https://h/a.zip/1.json",
        "https://h/a.zip/2.json",
    ]
