"""A small workers' compensation schedule in the layout of Georgia's, for the demo. Its amounts are made up."""

from pathlib import Path

_FEES = """\
CODE,MOD,DESCRIPTION,PROF MAR,FACILITY MAR,OP MAR,ASC MAR
10121,,,420.00,310.00,2430.00,1060.00
20610,,,125.00,90.00,440.00,50.00
27447,,,2950.00,,19300.00,13880.00
29881,,,1480.00,,4860.00,2360.00
45378,,,640.00,320.00,1360.00,730.00
66984,,,1190.00,,3420.00,1820.00
70450,,,195.00,,,
70450,26,,72.00,,,
70450,TC,,123.00,,160.00,85.00
70553,,,590.00,,,
70553,26,,195.00,,,
70553,TC,,395.00,,535.00,290.00
72148,,,350.00,,362.00,180.00
73721,,,370.00,,362.00,195.00
90837,,,BR,,240.00,
97110,,,48.00,,,
97140,,,45.00,,,
99203,,,185.00,140.00,,
99204,,,275.00,215.00,,
99213,,,150.00,105.00,,
99214,,,210.00,160.00,,
99283,,,110.00,,415.00,
99284,,,190.00,,640.00,
22558,,,3260.00,,,
"""


def write_compensation_fees(directory: Path) -> list[Path]:
    """Write the schedule, whose name says which state's and which year's it is. Return its path."""
    path = directory / "GA_2025_compensation_demo.csv"
    path.write_text(_FEES, encoding="utf-8")
    return [path]
