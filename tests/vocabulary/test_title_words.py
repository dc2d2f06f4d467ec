"""Payers' names of codes, written out."""

import pytest

from core.vocabulary.title_words import write_out


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("ARTHRP KNE CONDYLE&PLATU MEDIAL&LAT COMPARTMENTS",
         "Arthroplasty knee condyle and plateau medial and lateral compartments"),
        ("OPTX&/RDCTJ FX&/DISLC ANT FIXJ W/O GRAFT",
         "Open treatment and/or reduction fracture and/or dislocation anterior fixation without graft"),
        ("LIVER IMAGING W/VASCULAR FLOW", "Liver imaging with vascular flow"),
        ("MRI LOWER EXTREMITY W/O CONTRAST", "MRI lower extremity without contrast"),
        ("FIBRINOLYSINS SCREEN I&R", "Fibrinolysins screen interpretation and report"),
        ("Cytp dx eval fna 1st ea site", "Cytopathology diagnostic evaluation fine needle aspiration 1st each site"),
        # What may be a word is left in a name that is not in capitals, and what is not known stays as it is.
        ("Art therapy, 15 min", "Art therapy, 15 min"),
        ("PHYS/QHP OP PULM REHAB", "Phys/qhp op pulm rehab"),
        ("Liver imaging; with vascular flow", "Liver imaging; with vascular flow"),
        ("", ""),
    ],
)  # fmt: skip
def test_short_forms_are_written_out(name: str, written: str) -> None:
    assert write_out(name) == written
