"""Which modifiers say something without changing the payment, as a DuckDB macro.

CMS's contractors divide modifiers into those that change the payment and those that only inform. Those that change it
are not listed here, so that a rate with one is compared only with an amount for that modifier: 22 (more work), 50 (both
sides), 51 (several procedures), 52 (reduced), 53 (discontinued), 54 to 56 (a part of the surgery), 62, 66, 80, 81, 82
and AS (several surgeons), 73 and 74 (canceled), 78 (back to the operating room), AA, AD, QK, QX, QY and QZ
(anesthesia), AH and AJ (a share of the physician's amount), CO and CQ (assistants in therapy), CT, FX and FY (older
equipment), PN (off campus), and all that a state's Medicaid or a payer defines. docs/decisions/0056 has the sources.
"""

INFORMATIONAL = (
    # Another visit or a separate procedure: they lift an edit of the claim, the price is the code's.
    "24", "25", "27", "57", "58", "59", "76", "77", "79", "91", "XE", "XP", "XS", "XU",
    # Telehealth.
    "93", "95", "FQ", "FR", "G0", "GQ", "GT",
    # Therapy: whose plan of care, and that its limits are known to be exceeded.
    "96", "97", "GN", "GO", "GP", "KX",
    # Which side, eyelid, finger, toe, or artery. One side is the price; both sides (50) are not.
    "E1", "E2", "E3", "E4", "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "FA", "LC", "LD", "LM", "LT", "RC",
    "RI", "RT", "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "TA",
    # Preventive: the patient pays no share of the same price.
    "33", "PT",
    # Who or what was there: principal physician, resident, locum, trial, catastrophe.
    "AI", "CR", "GC", "Q0", "Q1", "Q5", "Q6",
    # A laboratory's waiver (QW has the amount of the code on every row of the CLFS), or the laboratory elsewhere.
    "90", "QW",
    # What was drawn from a drug's vial, and at what discount the hospital bought it.
    "JG", "JW", "JZ", "TB",
    # A hospital's department off campus that keeps the outpatient rate, and a surgical center's claim.
    "PO", "SG",
)  # fmt: skip
"""Modifiers that do not change what Medicare pays for one unit of a service."""

RENTAL_OR_PURCHASE = ("NU", "RR", "UE")
"""New, rented for a month, used: three prices of one item, which are never compared with each other."""

MACROS = (
    f"""CREATE MACRO priced_modifier(modifier) AS CASE WHEN modifier = '' THEN '' ELSE array_to_string(list_filter(
            string_split(modifier, ','), lambda m: m NOT IN {INFORMATIONAL}), ',') END""",
)
"""priced_modifier: the modifiers of a rate that decide its price, as the tables of schedules have them."""
