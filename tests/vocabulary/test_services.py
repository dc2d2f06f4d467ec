"""The vocabulary of services as data: codes have one plain name, and no word leads nowhere."""

from collections import defaultdict

from core.fields.codes.billing_code import CODE_WIDTHS, code_system_by_shape, parse_code
from core.vocabulary.find_services import find_services
from core.vocabulary.services import list_services, plain_names


def test_there_are_the_300_commonest_services_and_each_has_codes() -> None:
    services = list_services()
    assert len(services) >= 300
    assert len({service.name for service in services}) == len(services)
    assert [service.name for service in services if not service.codes or not all(service.phrases)] == []


def test_a_code_has_one_plain_name_and_a_name_one_code() -> None:
    names, codes = defaultdict(set), defaultdict(set)
    for service in list_services():
        for code in service.codes:
            names[code.code_type, code.code].add(code.plain_name)
            codes[code.plain_name].add(code.code)
    assert {key: said for key, said in names.items() if len(said) > 1} == {}
    assert {name: said for name, said in codes.items() if len(said) > 1} == {}


def test_every_code_is_written_as_its_system_writes_it() -> None:
    for service in list_services():
        for code in service.codes:
            if code.code_type in CODE_WIDTHS:
                assert parse_code(code.code_type, code.code.lstrip("0")) == code.code, code
            else:
                assert code_system_by_shape(code.code) == code.code_type, code


def test_plain_names_are_short_and_begin_with_a_capital() -> None:
    assert [
        name for name in plain_names().values() if len(name) > 75 or not (name[0].isupper() or name[0].isdigit())
    ] == []


def test_a_code_has_its_name_under_each_system_that_payers_label_it() -> None:
    names = plain_names()
    assert names["CPT", "73721"] == names["HCPCS", "73721"] == "Knee, hip, or ankle MRI without contrast"
    assert names["CPT", "G0439"] == names["HCPCS", "G0439"]
    assert ("CPT", "470") not in names
    assert names["MS-DRG", "470"] == "Hospital stay for hip or knee replacement, no major complication"


def test_every_phrase_finds_its_own_service() -> None:
    lost = []
    for service in list_services():
        for phrase in (service.name, *service.phrases):
            covered = {match.service: match.covered for match in find_services(phrase)}
            if covered.get(service.name, 0) < 0.8 * max(covered.values(), default=1):
                lost.append(f"{service.name}: {phrase}")
    assert lost == []
