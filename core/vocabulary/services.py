"""The commonest services in plain words of our own, with the codes that bill them. See services/*.toml.

The code numbers are public. The words are our own: descriptors of CPT and CDT are copyrighted, and none is here.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.fields.codes.billing_code import code_system_by_shape

_DIRECTORY = Path(__file__).with_name("services")
_PHRASES = "also"
"""The key of a service's other phrases. The other keys are codes, or code systems with codes."""

SPELLINGS = {"CPT": ("CPT", "HCPCS"), "HCPCS": ("HCPCS", "CPT"), "CDT": ("CDT", "HCPCS", "CPT")}
"""The systems under which payers publish a code of each system. Other systems have their own codes only."""


FAMILIAR_CODES = (
    "99213", "99214", "99203", "73721", "70450", "27447", "29881", "45378", "97110", "93306", "80053", "71046",
)  # fmt: skip
"""Codes of services that everybody knows."""


@dataclass(frozen=True)
class ServiceCode:
    """A code that bills a service, and its plain name."""

    code_type: str
    code: str
    plain_name: str


@dataclass(frozen=True)
class Service:
    """A service, the phrases that people use for it, and its codes, commonest first."""

    name: str
    phrases: tuple[str, ...]
    codes: tuple[ServiceCode, ...]


@cache
def list_services() -> tuple[Service, ...]:
    """Return every service of the vocabulary."""
    return tuple(
        Service(
            name,
            tuple(phrase.strip() for phrase in fields.get(_PHRASES, "").split(";")),
            tuple(_codes_of(name, fields)),
        )
        for path in sorted(_DIRECTORY.glob("*.toml"))
        for name, fields in tomllib.loads(path.read_text(encoding="utf-8")).items()
    )


@cache
def plain_names() -> dict[tuple[str, str], str]:
    """Return the plain name of each code, by each code system under which payers publish it."""
    return {
        (system, code.code): code.plain_name
        for service in list_services()
        for code in service.codes
        for system in SPELLINGS.get(code.code_type, (code.code_type,))
    }


def _codes_of(service: str, fields: dict[str, Any]) -> Iterator[ServiceCode]:
    for key, value in fields.items():
        if key == _PHRASES:
            continue
        if isinstance(value, dict):
            for code, plain_name in value.items():
                yield ServiceCode(key, code, plain_name)
        else:
            system = code_system_by_shape(key)
            if system is None:
                raise ValueError(f"{service}: {key} is not a code of CPT, HCPCS, or CDT; write SYSTEM.{key}")
            yield ServiceCode(system, key, value)
