"""Group NUCC's taxonomy codes into the specialties that people name.

NUCC's taxonomy has some 900 codes. The first four characters of a code stand for its grouping and classification, the
others for its specialization, if it has one. The table below names a specialty for the beginning of a code, and the
longest beginning that fits decides: 207R is internal medicine, and 207RC0000X among them is cardiology. The grouping is
our own. The meanings of the codes are facts of the code set of the National Uniform Claim Committee (nucc.org, version
25.1).
"""

from functools import lru_cache

SPECIALTY_CODES: dict[str, str] = {
    # Physicians.
    "Addiction medicine": "207LA0401X 207QA0401X 207RA0401X 2083A0300X 2084A0401X 2084P0802X",
    "Allergy and immunology": "207K 207RA0201X 207RI0001X 2080I0007X 2080P0201X",
    "Anesthesiology": "207L",
    "Cardiac electrophysiology": "207RC0001X",
    "Cardiology": "207RC0000X 207RA0001X 207RA0002X",
    "Child psychiatry": "2084P0804X",
    "Colon and rectal surgery": "208C",
    "Critical care": "207LC0200X 207RC0200X 207VC0200X 2086S0102X",
    "Dermatology": "207N",
    "Emergency medicine": "207P",
    "Endocrinology": "207RE0101X",
    "Family medicine": "207Q",
    "Gastroenterology": "207RG0100X 207RI0008X 207RT0003X",
    "General practice": "208D",
    "General surgery": "2086",
    "Genetics": "207S 1701 1703",
    "Geriatrics": "207QG0300X 207RG0300X",
    "Gynecologic oncology": "207VX0201X",
    "Hand surgery": "207XS0106X 2082S0105X 2086S0105X",
    "Hematology and oncology": "207RH0000X 207RH0003X 207RX0202X",
    "Hospice and palliative medicine": (
        "207LH0002X 207PH0002X 207QH0002X 207RH0002X 207VH0002X 2080H0002X 2081H0002X 2084H0002X 2085H0002X 2086H0002X"
    ),
    "Hospital medicine": "208M",
    "Infectious disease": "207RI0200X",
    "Internal medicine": "207R",
    "Interventional cardiology": "207RI0011X",
    "Interventional radiology": "2085R0204X",
    "Maternal-fetal medicine": "207VM0101X",
    "Mohs surgery": "207ND0101X",
    "Neonatology": "2080N0001X",
    "Nephrology": "207RN0300X",
    "Neurology": (
        "2084A2900X 2084B0040X 2084D0003X 2084E0001X 2084N0008X 2084N0400X 2084N0402X 2084N0600X 2084P0005X 2084P0301X "
        "2084V0102X"
    ),
    "Neurosurgery": "207T",
    "Nuclear medicine": "207U",
    "Obstetrics and gynecology": "207V",
    "Occupational and preventive medicine": "2083",
    "Ophthalmology": "207W",
    "Oral surgery": "204E 1223S0112X",
    "Orthopedic surgery": "207X",
    "Osteopathic manipulative medicine": "204D",
    "Other physicians": "20",
    "Otolaryngology": "207Y",
    "Pain medicine": "207LP2900X 2081P2900X 2084P2900X 208V",
    "Pathology": "207Z",
    "Pediatric cardiology": "2080P0202X",
    "Pediatric subspecialties": (
        "2080P0006X 2080P0008X 2080P0203X 2080P0204X 2080P0205X 2080P0206X 2080P0207X 2080P0208X 2080P0210X 2080P0214X "
        "2080P0216X 2080T0002X 2080T0004X"
    ),
    "Pediatric surgery": "2086S0120X",
    "Pediatrics": "2080",
    "Physical medicine and rehabilitation": "2081 204R",
    "Plastic surgery": "2082 2086S0122X",
    "Psychiatry": "2084",
    "Pulmonology": "207RP1001X",
    "Radiation oncology": "2085R0001X 2085R0203X",
    "Radiology": "2085",
    "Reproductive endocrinology": "207VE0102X",
    "Rheumatology": "207RR0500X",
    "Sleep medicine": "207QS1201X 207RS0012X 207YS0012X 2080S0012X 2084S0012X 173F",
    "Spine surgery": "207XS0117X",
    "Sports medicine": "204C 207PS0010X 207QS0010X 207RS0010X 2080S0010X 2081S0010X 2083S0010X 2084S0010X",
    "Surgical oncology": "2086X0206X",
    "Thoracic surgery": "208G",
    "Transplant surgery": "204F",
    "Urogynecology": "207VF0040X 2088F0040X",
    "Urology": "2088",
    "Vascular surgery": "2086S0129X",
    "Vein medicine": "202K",
    # Nurses and physician assistants in practice by themselves.
    "Clinical nurse specialist": "364S",
    "Midwifery": "367A 176B 175M",
    "Nurse anesthetist": "3675 367H",
    "Nurse practitioner": "363L",
    "Physician assistant": "363A",
    "Psychiatric nurse practitioner": (
        "363LP0808X 364SP0807X 364SP0808X 364SP0809X 364SP0810X 364SP0811X 364SP0812X 364SP0813X"
    ),
    "Nursing": "16",
    # Behavioral health.
    "Applied behavior analysis": "103K 106E 106S",
    "Counseling": "101Y",
    "Marriage and family therapy": "106H",
    "Other behavioral health": "10",
    "Psychology": "103",
    "Social work": "104",
    # Eyes, teeth, feet, spines.
    "Chiropractic": "111",
    "Dentistry": "12",
    "Dental specialties": (
        "1223D0004X 1223E0200X 1223P0106X 1223P0221X 1223P0300X 1223P0700X 1223X0008X 1223X0400X 1223X2210X"
    ),
    "Optometry": "152",
    "Optician and eyewear": "156 332H",
    "Podiatry": "21",
    # Therapies and other services by persons.
    "Acupuncture and naturopathy": "1711 172P 173C 175F 175L",
    "Audiology and hearing aids": "231 2376 2377 332S",
    "Community and personal care": "17 40 372 373 374 376",
    "Nutrition": "13",
    "Occupational therapy": "224Z 225X",
    "Orthotics and prosthetics": "222Z 2249 224L 224P 2250 229N 335E",
    "Other therapies": "22",
    "Pharmacist": "183",
    "Physical therapy": "2251 2252",
    "Respiratory therapy": "225B 227",
    "Speech-language pathology": "235",
    "Student": "39",
    "Technologist": "24",
    # Practices, clinics, and centers.
    "Ambulatory surgical center": "261QA1903X 261QE0800X 261QL0400X 261QM1101X 261QM1103X 261QS0112X 261QS0132X",
    "Birthing and family planning center": "261QA0005X 261QA0006X 261QB0400X 261QF0050X",
    "Clinic": "261Q",
    "Community health center": "261QC1500X 261QF0400X 261QM1000X 261QP0904X 261QP0905X",
    "Dialysis center": "261QE0700X",
    "Emergency or urgent care center": "261QE0002X 261QU0200X",
    "Imaging center": "261QM1200X 261QR0200X 261QR0206X 261QR0207X 261QR0208X 335V",
    "Infusion center": "251F 261QI0500X",
    "Mental health center": "251S 261QM0801X 261QM0850X 261QM0855X",
    "Oncology center": "261QX0200X 261QX0203X",
    "Physician group": "193",
    "Rehabilitation center": "261QA0900X 261QH0700X 261QP2000X 261QR0400X 261QR0401X 261QR0404X",
    "Rural health clinic": "261QR1300X",
    "Sleep laboratory": "261QS1200X",
    "Substance use treatment": "261QM2800X 261QR0405X 276 324",
    # Hospitals and other facilities with beds.
    "Children's hospital": "281PC2000X 282NC2000X 283XC2000X",
    "Critical access hospital": "261QC0050X 282NC0060X",
    "Hospital": "27 28",
    "Long-term care hospital": "281P 282E",
    "Psychiatric hospital": "273R 283Q",
    "Rehabilitation hospital": "273Y 283X",
    "Residential care": "31 32",
    "Skilled nursing facility": "313 314",
    # Agencies, laboratories, transport, and suppliers.
    "Agency": "25 385",
    "Ambulance": "3416 3418 3448",
    "Home health": "251E 251J 253Z",
    "Hospice": "251G 315D",
    "Laboratory": "29",
    "Medical equipment": "33",
    "Nonemergency transport": "34",
    "Paramedic": "146",
    "Pharmacy": "3320 3321 3328 3329 3336",
    "Health plan": "30",
}  # fmt: skip
"""Each specialty with the beginnings of the taxonomy codes that belong to it, separated by blanks."""

SPECIALTIES = tuple(sorted(SPECIALTY_CODES, key=str.lower))
"""The specialties, in alphabetical order."""

_ORGANIZATIONS_ALONE = ("193", "25", "26", "27", "28", "29", "30", "31", "32", "33", "34", "38")
"""How NUCC's codes begin that are no individual's: of groups, agencies, facilities, laboratories, and suppliers."""

ORGANIZATION_SPECIALTIES = frozenset(
    specialty
    for specialty, beginnings in SPECIALTY_CODES.items()
    if all(beginning.startswith(_ORGANIZATIONS_ALONE) for beginning in beginnings.split())
)
"""The specialties that only organizations have, such as a hospital."""

_BY_BEGINNING = {
    beginning: specialty for specialty, beginnings in SPECIALTY_CODES.items() for beginning in beginnings.split()
}
_LENGTHS = sorted({len(beginning) for beginning in _BY_BEGINNING}, reverse=True)

_SPELLED = {specialty.lower(): specialty for specialty in SPECIALTIES}


@lru_cache(maxsize=4096)
def find_specialty(taxonomy_code: str) -> str | None:
    """Return the specialty of a taxonomy code, or None if no beginning in the table fits."""
    code = taxonomy_code.upper()
    return next((found for length in _LENGTHS if (found := _BY_BEGINNING.get(code[:length]))), None)


def parse_specialty(text: str) -> str | None:
    """Return the specialty of a name in any case, or None if there is none of that name."""
    return _SPELLED.get(text.strip().lower())
