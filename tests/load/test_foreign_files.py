"""Files that are not payers' files are named for what they are."""

import gzip
from pathlib import Path

import pytest

from core.demo.physician_fees import write_physician_fees
from core.demo.provider_register import write_further_files, write_register
from core.load.foreign_files import name_foreign_document, name_foreign_file
from core.tic.source import open_documents
from tests.zip_files import zip_of

HOSPITAL = b"hospital_name,last_updated_on,version\nWest Mercy,2025-01-01,2.0.0\n"
CHARGES = b'\xef\xbb\xbf"description","code|1","standard_charge|gross"\n"Knee","29881",100\n'
GPCI = b"Title\nContractor (MAC),Locality Number,Locality Name,PW GPCI,PE GPCI\n10112,00,ALABAMA,1,1\n"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (HOSPITAL, "a hospital's standard-charges file"),
        (CHARGES, "a hospital's standard-charges file"),
        (gzip.compress(HOSPITAL, mtime=0), "a hospital's standard-charges file"),
        (b'[{"code": "1", "Gross_Charge": 5}]', "a hospital's standard-charges file"),
        (GPCI, "a GPCI file"),
        (b"Code,Grouping,Classification\n", "NUCC's provider taxonomy"),
        (b"a,b\n1,2\n", None),
        (b"hello", None),
        (b"", None),
        (b'{"in_network": []}', None),
        (b"[]", None),
    ],
)
def test_a_document_is_named(tmp_path: Path, content: bytes, kind: str | None) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    told = name_foreign_document(open_documents(path)[0])
    assert kind is None or str(told).startswith(f"file.json: not an in-network file but {kind}")
    assert (told is None) == (kind is None)


def test_agencies_files_are_named(tmp_path: Path) -> None:
    fees = write_physician_fees(tmp_path)
    for path in [*fees, *write_register(tmp_path), *write_further_files(tmp_path)]:
        told = name_foreign_document(open_documents(path)[0])
        assert told is not None, path
        assert "(load_" in told
    packed = zip_of(tmp_path / "a.zip", *((path.name, path.read_bytes()) for path in fees))
    assert "(load_benchmark" in str(name_foreign_file(packed, "a.zip"))


def test_public_files_are_named(shared: Path) -> None:
    for name in ("V2.0.0_Tall_CSV_Format_Example.csv", "V3.0.0_Wide_CSV_Format_Example.csv"):
        document = open_documents(shared / "hospital_mrf" / "cms" / name)[0]
        assert "a hospital's standard-charges file" in str(name_foreign_document(document))
