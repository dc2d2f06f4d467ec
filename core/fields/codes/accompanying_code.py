"""Codes of what comes with another service: anesthesia, guidance, tissue under the microscope, contrast agents.

Nobody chooses them by themselves, though payers list hundreds of them. A list that begins with what people ask for has
them after other services. It takes nothing out.
"""

from core.fields.codes.code_family import HCPCS_SYSTEMS

ACCOMPANYING_RANGES = (
    ("00100", "01999"),  # anesthesia
    ("76930", "76998"),  # guidance by ultrasound
    ("77001", "77022"),  # guidance by X-ray, CT, and MRI
    ("88104", "88399"),  # cells and tissue under the microscope
    ("A9500", "A9799"),  # imaging agents
    ("Q9951", "Q9983"),  # contrast agents
)
"""The first and the last number of each."""


def is_accompanying(code_type: str, code: str) -> bool:
    """Return whether a code is of what comes with another service."""
    return code_type in HCPCS_SYSTEMS and any(first <= code <= last for first, last in ACCOMPANYING_RANGES)
