"""The roll-up of tax IDs, slowly and obviously: one tax ID at a time, all of its evidence in lists."""

from collections import Counter
from typing import Any

from core.fields.providers.payer_slug import make_payer_slug

Row = dict[str, Any]
Tin = tuple[str, str]


def most(values: list[Any]) -> Any:
    """Return the value that more than half of the values are, or None."""
    return next((value for value, times in Counter(values).items() if 2 * times > len(values)), None)


class Evidence:
    """What is loaded, by tax ID and by NPI."""

    def __init__(self, rows: dict[str, list[Row]]) -> None:
        self.npis = {row["npi"]: row for row in rows["dim_npi"]}
        self.tins: dict[Tin, str | None] = {
            (row["tin_type"], row["tin_value"]): row["business_name"] for row in rows["dim_tin"]
        }
        self.members: dict[Tin, set[str]] = {tin: set() for tin in self.tins}
        for row in rows["xref_tin_npi"]:
            self.members[row["tin_type"], row["tin_value"]].add(row["npi"])
        self.listed: dict[Tin, list[Row]] = {tin: [] for tin in self.tins}
        for row in rows["listed_organization"]:
            self.listed.setdefault((row["tin_type"], row["tin_value"]), []).append(row)
        self.hospitals = {row["ccn"]: row for row in rows["hospital"]}

    def home(self, tin: Tin) -> tuple[str | None, str | None]:
        found = [self.npis[npi] for npi in self.members[tin] if npi in self.npis and self.npis[npi]["state"]]
        state = most([row["state"] for row in found])
        place = most([(row["city"], row["state"]) for row in found])
        return (place[0] if place else None), state

    def names(self, tin: Tin) -> list[tuple[str, str, str, str | None, str | None, bool]]:
        """Return the names of a tax ID, the most trusted first: source, confidence, name, city, state, person."""
        found = [
            (row["source"], "high", row["name"], row["city"], row["state"], False)
            for row in self.listed[tin]
            if row["source"] in {"user file", "irs"}
        ]
        found.append(("payer file", "high", self.tins[tin], None, None, False))
        if tin[0] == "npi" and tin[1] in self.npis:
            row = self.npis[tin[1]]
            found.append(("nppes", "high", row["name"], row["city"], row["state"], row["entity_type"] == "individual"))
        hospitals = [row for row in self.listed[tin] if row["source"] == "hospital list"]
        if len({make_payer_slug(row["name"]) for row in hospitals}) == 1:
            places = [self.hospitals.get(row["hospital"], {}) for row in hospitals]
            city = min((place["city"] for place in places if place.get("city")), default=None)
            state = min((place["state"] for place in places if place.get("state")), default=None)
            found.append(("hospital list", "medium", min(row["name"] for row in hospitals), city, state, False))
        found.extend(self.member_names(tin))
        order = ("user file", "payer file", "nppes", "irs", "hospital list", "members")
        return sorted(
            (one for one in found if one[2] and make_payer_slug(one[2]) not in {"", "unknown"}),
            key=lambda one: order.index(one[0]),
        )

    def member_names(self, tin: Tin) -> list[tuple[str, str, str, str | None, str | None, bool]]:
        if tin[0] != "ein":
            return []
        organizations = [
            self.npis[npi]
            for npi in self.members[tin]
            if npi in self.npis and self.npis[npi]["entity_type"] == "organization" and self.npis[npi]["name"]
        ]
        key = most([make_payer_slug(row["name"]) for row in organizations])
        if key is None:
            return []
        chosen = [row for row in organizations if make_payer_slug(row["name"]) == key]
        elsewhere = any(
            row["npi"] in members
            for row in chosen
            for other, members in self.members.items()
            if other != tin and other[0] == "ein"
        )
        sure = len(chosen) == len(organizations) and not elsewhere
        return [
            (
                "members",
                "medium" if sure else "low",
                min(row["name"] for row in chosen),
                min((row["city"] for row in chosen if row["city"]), default=None),
                min((row["state"] for row in chosen if row["state"]), default=None),
                False,
            )
        ]

    def organization(self, tin: Tin) -> str:
        """Return the key of a tax ID's organization."""
        stated = [row["organization_name"] for row in self.listed[tin] if row["organization_name"]]
        if stated:
            return make_payer_slug(stated[0])
        names = self.names(tin)
        if names:
            _, _, name, _, state, person = names[0]
            state = state or self.home(tin)[1]
            if state and not person:
                return f"{make_payer_slug(name)}_{state.lower()}"
        return "_".join(tin)

    def systems(self, tin: Tin) -> list[tuple[int, str]]:
        """Return the systems of a tax ID: how far its source is trusted (0 most), and the key."""
        found = set()
        keys = {
            make_payer_slug(f"{row['system_name']}_{row['system_state']}")
            for row in self.hospitals.values()
            if row["system_name"]
        }
        for row in self.listed[tin]:
            if row["system_name"]:
                key = make_payer_slug(row["system_name"])
                full = [one for one in keys if one.rsplit("_", 1)[0] == key]
                found.add((0 if row["source"] == "user file" else 1, full[0] if len(full) == 1 else key))
            hospital = self.hospitals.get(row["hospital"])
            if row["source"] == "hospital list" and hospital and hospital["system_name"]:
                found.add((2, make_payer_slug(f"{hospital['system_name']}_{hospital['system_state']}")))
        called: list[tuple[str | None, str | None, str | None, str | None]] = []
        names = self.names(tin)
        if names and not names[0][5]:
            city, state = self.home(tin)
            called.append((names[0][2], names[0][3] or city, names[0][4] or state, None))
        if tin[0] == "npi" and tin[1] in self.npis and self.npis[tin[1]]["entity_type"] == "organization":
            row = self.npis[tin[1]]
            called.append((row["name"], row["city"], row["state"], row["postal_code"]))
        for name, city, state, zip_code in called:
            for hospital in self.hospitals.values():
                same = (
                    name and make_payer_slug(name) == make_payer_slug(hospital["name"]) and state == hospital["state"]
                )
                if (
                    hospital["system_name"]
                    and same
                    and ((zip_code and zip_code[:5] == hospital["zip"]) or (city and city.upper() == hospital["city"]))
                ):
                    found.add((3, make_payer_slug(f"{hospital['system_name']}_{hospital['system_state']}")))
        return sorted(found)


def roll_up(rows: dict[str, list[Row]]) -> dict[Tin, tuple[Any, ...]]:
    """Return for each tax ID its name, the source and confidence, its organization, and its system."""
    known = Evidence(rows)
    organization = {tin: known.organization(tin) for tin in known.tins}
    edges: dict[str, list[tuple[int, str]]] = {}
    for tin, key in organization.items():
        edges.setdefault(key, []).extend(known.systems(tin))
    system = {
        key: most([name for rank, name in found if rank == min(found)[0]]) if found else None
        for key, found in edges.items()
    }
    answer = {}
    for tin, key in organization.items():
        names = known.names(tin)
        source, confidence, name = names[0][:3] if names else (None, None, None)
        answer[tin] = (name, source, confidence, key, system[key])
    return answer
