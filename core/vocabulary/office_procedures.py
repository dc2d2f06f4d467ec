"""Procedures that are usually done in an office although Medicare's list of surgical centers calls them surgery.

CMS sorts what it adds to that list since 2008 into office based and other surgery, by where most of its services are.
What was listed before (payment indicator A2) it has never sorted, and some others have moved to offices since. Where
Medicare's services by place are loaded, they decide; these are the familiar services that are wrong without them. The
schedule's amounts do not tell: the office adds as much for a bladder scope, which is done there, as for an upper
endoscopy with biopsy, which is not.

Numbers of codes and our own words alone are here: descriptors of CPT are copyrighted.
"""

OFFICE_PROCEDURES = frozenset(
    {
        # Complex stitches and skin flaps, most of them after skin cancer is removed in a dermatologist's office.
        "13101", "13121", "13132", "14040", "14060",
        # A broken outer ankle that is treated without surgery and without moving the bone.
        "27786",
        # A nose scope that cleans up after sinus surgery.
        "31237",
        # Leg veins closed by heat or laser.
        "36475", "36478",
        # Bladder scopes: to look inside, with Botox, and to take out a stent.
        "52000", "52287", "52310",
        # Vasectomy, and a prostate biopsy by needle.
        "55250", "55700",
    }
)  # fmt: skip
"""The codes of these procedures."""
