"""The wage area of a ZIP code: of its county, of what its counties share, or of most of its addresses."""

import pytest

from core.reference.places.place_files import OUTSIDE_AREAS, CountyArea, PlaceFiles, Shares
from core.reference.places.zip_areas import AreaFinder, ZipArea

COUNTIES = {
    "13121": CountyArea("Fulton County", "12060", "12054", metropolitan=True),
    "13067": CountyArea("Cobb County", "12060", "31924", metropolitan=True),
    "13021": CountyArea("Macon-Bibb County", "31420", None, metropolitan=True, cbsa_title="Macon, GA"),
    "13207": CountyArea("Monroe County", "31420", None, metropolitan=True, cbsa_title="Macon, GA"),
    "13299": CountyArea("Ware County", "48180", None, metropolitan=False),
    "09110": CountyArea("Capitol Planning Region", "25540", None, metropolitan=True),
    "09160": CountyArea("Northwest Hills Planning Region", "45860", None, metropolitan=False),
}


def only(*places: str) -> Shares:
    return Shares(all=dict.fromkeys(places), business=dict.fromkeys(places))


def mostly(place: str, *others: str) -> Shares:
    shares: dict[str, float | None] = {place: 0.8, **dict.fromkeys(others, 0.2 / max(len(others), 1))}
    return Shares(business=shares, all=shares)


@pytest.mark.parametrize(
    ("counties", "areas", "expected"),
    [
        # A division where the area has some, else the area, else the rest of the state, which is no SSA code.
        (only("13121"), None, ZipArea("13121", "Fulton County", "12060", "12054", "12054")),
        (only("13021"), None, ZipArea("13021", "Macon-Bibb County", "31420", None, "31420", "Macon, GA")),
        (only("13299"), None, ZipArea("13299", "Ware County", "48180", None, "GA")),
        (only("13027"), None, ZipArea("13027", wage_area="GA")),
        (only("48001"), None, ZipArea("48001", wage_area="TX")),
        # Several counties: by their shares, or by what they have in common, and otherwise not known.
        (mostly("13121", "13021"), None, ZipArea("13121", "Fulton County", "12060", "12054", "12054")),
        (only("13021", "13207"), None, ZipArea(cbsa="31420", wage_area="31420", cbsa_title="Macon, GA")),
        (only("13299", "13027"), None, ZipArea(wage_area="GA")),
        (only("13021", "13027"), None, ZipArea()),
        (only("13121", "13067"), None, ZipArea(cbsa="12060")),
        # Then by the area of most addresses, if it is not divided.
        (
            only("13021", "13027"),
            mostly("31420", OUTSIDE_AREAS),
            ZipArea(cbsa="31420", wage_area="31420", cbsa_title="Macon, GA"),
        ),
        (only("13021", "13027"), mostly(OUTSIDE_AREAS, "31420"), ZipArea(wage_area="GA")),
        (only("13021", "13027"), mostly("48180"), ZipArea(cbsa="48180", wage_area="GA")),
        (only("13121", "13067"), mostly("12060"), ZipArea(cbsa="12060")),
        (None, mostly("31420"), ZipArea(cbsa="31420", wage_area="31420", cbsa_title="Macon, GA")),
        (None, None, ZipArea()),
        # Connecticut's old counties are not in the list, and are in no planning region.
        (only("09003"), None, ZipArea("09003")),
        (only("09003"), mostly("25540"), ZipArea("09003", cbsa="25540", wage_area="25540")),
        (only("09005"), mostly("45860"), ZipArea("09005", cbsa="45860", wage_area="CT")),
        (only("09110"), None, ZipArea("09110", "Capitol Planning Region", "25540", None, "25540")),
    ],
)
def test_the_area_of_a_zip_code(counties: Shares | None, areas: Shares | None, expected: ZipArea) -> None:
    files = PlaceFiles(
        counties=COUNTIES,
        zip_counties=[{"30000": counties}] if counties else [],
        zip_areas={"30000": areas} if areas else None,
    )
    state = "CT" if counties and any(fips.startswith("09") for fips in counties.all) else "GA"
    assert AreaFinder(files).find("30000", state) == expected
