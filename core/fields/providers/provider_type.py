"""Name the specialty of a provider type, as CMS writes it in its files of what clinicians billed to Medicare.

CMS's type is the specialty that a clinician's own claims state. It is more exact than the register's primary taxonomy
for clinicians who are in these files, and its words are not NUCC's: this table maps them to the specialties of
`specialty.py`. Sources: the types that occur in "Medicare Physician & Other Practitioners" from 2012 to 2023.
"""

import re

from core.fields.providers.specialty import parse_specialty

_TYPES: dict[str, str] = {
    "Addiction medicine": "addiction medicine",
    "Agency": "public health or welfare agency; voluntary health or charitable agencies",
    "Allergy and immunology": "allergy/immunology; allergy/ immunology",
    "Ambulance": "ambulance service provider; ambulance service supplier",
    "Ambulatory surgical center": "ambulatory surgical center",
    "Anesthesiology": "anesthesiology",
    "Audiology and hearing aids": "audiologist; audiologist (billing independently); qualified audiologist",
    "Cardiac electrophysiology": "cardiac electrophysiology; clinical cardiac electrophysiology",
    "Cardiology": "cardiology; cardiovascular disease (cardiology); "
    "advanced heart failure and transplant cardiology; adult congenital heart disease",
    "Child psychiatry": "child psychiatry",
    "Chiropractic": "chiropractic; chiropractor",
    "Clinic": "clinic or group practice; multispecialty clinic/group practice; single or multispecialty clinic or "
    "group practice; all other suppliers; unknown supplier/provider; unknown supplier/provider specialty",
    "Clinical nurse specialist": "certified clinical nurse specialist",
    "Colon and rectal surgery": "colorectal surgery (proctology); colorectal surgery (formerly proctology); "
    "colorectal surgery",
    "Counseling": "mental health counselor; licensed clinical mental health counselor",
    "Critical care": "critical care (intensivists)",
    "Dental specialties": "periodontics; endodontics; prosthodontics; orthodontics; pediatric dentistry",
    "Dentistry": "dentist; dental",
    "Dermatology": "dermatology",
    "Emergency medicine": "emergency medicine",
    "Endocrinology": "endocrinology",
    "Family medicine": "family practice; family medicine",
    "Gastroenterology": "gastroenterology",
    "General practice": "general practice",
    "General surgery": "general surgery",
    "Genetics": "medical genetics and genomics; medical genetics & genomics",
    "Geriatrics": "geriatric medicine",
    "Gynecologic oncology": "gynecological/oncology; gynecological oncology",
    "Hand surgery": "hand surgery",
    "Hematology and oncology": "hematology; hematology-oncology; hematology/oncology; medical oncology; "
    "hematopoietic cell transplantation and cellular therapy",
    "Hospice and palliative medicine": "hospice and palliative care",
    "Hospital": "hospital",
    "Hospital medicine": "hospitalist",
    "Imaging center": "independent diagnostic testing facility; independent diagnostic testing facility (idtf); "
    "portable x-ray supplier; portable x-ray; radiation therapy center; mammography center; "
    "mammography screening center",
    "Infectious disease": "infectious disease",
    "Infusion center": "home infusion therapy services",
    "Internal medicine": "internal medicine",
    "Interventional cardiology": "interventional cardiology",
    "Interventional radiology": "interventional radiology",
    "Laboratory": "clinical laboratory; clinical laboratory (billing independently); slide preparation facility",
    "Marriage and family therapy": "marriage and family therapist",
    "Medical equipment": "medical supply company; medical supply company with respiratory therapist; "
    "durable medical equipment & medical supplies",
    "Midwifery": "certified nurse midwife (cnm); certified nurse midwife",
    "Mohs surgery": "micrographic dermatologic surgery",
    "Nephrology": "nephrology",
    "Neurology": "neurology; neuropsychiatry; epileptologists",
    "Neurosurgery": "neurosurgery",
    "Nuclear medicine": "nuclear medicine",
    "Nurse anesthetist": "certified registered nurse anesthetist (crna); crna; anesthesiology assistant; "
    "anesthesiologist assistants; anesthesiologist assistant",
    "Nurse practitioner": "nurse practitioner",
    "Nutrition": "registered dietitian or nutrition professional; registered dietician/nutrition professional",
    "Obstetrics and gynecology": "obstetrics & gynecology; obstetrics/gynecology",
    "Occupational and preventive medicine": "preventive medicine; undersea and hyperbaric medicine; medical toxicology",
    "Occupational therapy": "occupational therapist in private practice; occupational therapist",
    "Ophthalmology": "ophthalmology",
    "Optician and eyewear": "optician",
    "Optometry": "optometry",
    "Oral surgery": "oral surgery (dentist only); oral surgery (dentists only); maxillofacial surgery; oral surgery",
    "Orthopedic surgery": "orthopedic surgery",
    "Orthotics and prosthetics": "pedorthic personnel; prosthetic personnel; orthotic personnel",
    "Osteopathic manipulative medicine": "osteopathic manipulative medicine",
    "Other physicians": "undefined physician type; unknown physician specialty code",
    "Otolaryngology": "otolaryngology",
    "Pain medicine": "pain management; interventional pain management",
    "Pathology": "pathology",
    "Pediatrics": "pediatric medicine; pediatrics",
    "Pharmacist": "pharmacist",
    "Pharmacy": "pharmacy; centralized flu; mass immunizer roster biller; mass immunization roster biller; "
    "centralized flu vaccine biller",
    "Physical medicine and rehabilitation": "physical medicine and rehabilitation",
    "Physical therapy": "physical therapist in private practice; physical therapist",
    "Physician assistant": "physician assistant",
    "Plastic surgery": "plastic and reconstructive surgery",
    "Podiatry": "podiatry",
    "Psychiatry": "psychiatry; geriatric psychiatry",
    "Psychology": "clinical psychologist; licensed clinical psychologist; psychologist, clinical; "
    "psychologist (billing independently); psychologist, billing independently",
    "Pulmonology": "pulmonary disease",
    "Radiation oncology": "radiation oncology",
    "Radiology": "diagnostic radiology",
    "Rheumatology": "rheumatology",
    "Sleep medicine": "sleep medicine",
    "Social work": "licensed clinical social worker",
    "Speech-language pathology": "speech language pathologist",
    "Sports medicine": "sports medicine",
    "Substance use treatment": "opioid treatment program",
    "Surgical oncology": "surgical oncology",
    "Thoracic surgery": "thoracic surgery; cardiac surgery; cardiothoracic surgery",
    "Urology": "urology",
    "Vascular surgery": "vascular surgery; peripheral vascular disease",
}
"""Each specialty with CMS's words for it, separated by semicolons."""

_BY_TYPE = {one.strip(): specialty for specialty, types in _TYPES.items() for one in types.split(";")}


def specialty_of_type(provider_type: str) -> str | None:
    """Return the specialty of CMS's provider type in any case, or None for a type that is not in the table."""
    words = re.sub(r"\s+", " ", provider_type.strip().lower())
    return _BY_TYPE.get(words) or parse_specialty(words)
