"""The schedules of the table of cases: amounts differ wherever rules could confuse them."""

from typing import Any

from tests.queries.comparison.fee_schedules import Schedule

# All are of Georgia unless they say otherwise.
GA: dict[str, Any] = {"state": "GA", "code_type": "CPT"}
VISIT = GA | {
    "code": "99213", "status": "A", "medicare_prof_rate": 90.0, "facility_rate": 60.0,
    "nonfacility_rate_26": 40.0, "facility_rate_26": 30.0, "nonfacility_rate_tc": 50.0, "facility_rate_tc": None,
    "nonfacility_rate_53": 20.0, "facility_rate_53": 15.0,
}  # fmt: skip
PHYSICIANS = [
    VISIT,
    GA | {"code": "99214", "status": "A", "medicare_prof_rate": 90.0, "facility_na": True},  # an older release:
    GA | {"code": "99221", "status": "A", "facility_rate": 70.0, "nonfacility_na": True},  # nothing where NA
    # As CMS publishes it: the amount of the one setting in the columns of both.
    GA
    | {
        "code": "27447",
        "status": "A",
        "medicare_prof_rate": 1300.0,
        "facility_rate": 1300.0,
        "nonfacility_na": True,
        "facility_na": False,
    },
    GA
    | {
        "code": "71046",
        "status": "A",
        "medicare_prof_rate": 30.0,
        "facility_rate": 30.0,
        "facility_na": True,
        "nonfacility_rate_26": 9.0,
        "facility_rate_26": 9.0,
        "nonfacility_rate_tc": 21.0,
        "facility_rate_tc": 21.0,
    },
    GA | {"code": "80053", "status": "A"},  # no amount at all
    GA | {"code": "80048", "status": "X", "reason": "not priced"},
    GA | {"code": "97110", "status": "A", "medicare_prof_rate": 28.0, "facility_rate": 20.0},
    GA
    | {
        "code": "77067",
        "status": "A",
        "medicare_prof_rate": 130.0,
        "facility_na": True,
        "nonfacility_rate_26": 40.0,
        "facility_rate_26": 40.0,
        "nonfacility_rate_tc": 90.0,
    },
    GA | {"code": "20930", "status": "B", "reason": "packaged"},
    GA | {"code": "0042T", "status": "C", "reason": "not priced"},
    GA | {"code": "D0330", "status": "R"},
    GA | {"code": "99386", "status": "N", "reason": "not priced"},
    GA | {"code": "0001F", "status": "I", "reason": "not priced"},
    GA | {"code": "J0300", "code_type": "HCPCS", "status": "E", "reason": "not priced"},
    GA | {"code": "A0429", "code_type": "HCPCS", "status": "X", "reason": "not priced"},
    GA | {"code": "00100", "status": "J", "medicare_prof_rate": 90.0, "reason": "anesthesia"},
    GA | {"code": "70450", "status": "A", "facility_rate_26": 33.0},  # only the reading, only in facilities
    GA | {"code": "G0439", "code_type": "HCPCS", "status": "A", "medicare_prof_rate": 130.0},
]
LAB: dict[str, Any] = {"state": "US", "code_type": "CPT", "modifier": "", "indicator": "N"}
DRUG: dict[str, Any] = {"state": "US", "code_type": "HCPCS", "modifier": ""}
ITEM: dict[str, Any] = {"state": "GA", "code_type": "HCPCS", "list": "DMEPOS", "category": "IN"}
SCHEDULES = [
    Schedule("medicare_prof", "2025-01", "US", ["GA"], PHYSICIANS),
    Schedule("medicare_prof", "2025-10", "US", ["GA"], [VISIT | {"medicare_prof_rate": 95.0}]),
    Schedule("opps", "2025-01", "US", ["GA", "TX"], [
        GA | {"code": "99213", "opps_si": "V", "opps_mar_stateavg": 120.0},
        GA | {"code": "99214", "opps_si": "N", "reason": "packaged"},
        GA | {"code": "J3399", "opps_si": "K", "opps_apc": "9141", "code_type": "HCPCS", "opps_mar_stateavg": 2000.0},
        GA | {"code": "C9600", "opps_si": "J1", "code_type": "HCPCS", "opps_mar_stateavg": 9000.0},
        GA | {"code": "70450", "opps_si": "S"},
        GA | {"code": "97110", "opps_si": "A", "reason": "not priced"},
        GA | {"code": "77067", "opps_si": "A", "reason": "not priced"},
        GA | {"code": "80048", "opps_si": "Q4", "reason": "packaged"},
        GA | {"code": "20930", "opps_si": "N", "reason": "packaged"},
        GA | {"code": "99386", "opps_si": "E1", "reason": "not priced"},
        GA | {"code": "0001F", "opps_si": "B", "reason": "not priced"},
        GA | {"code": "D0140", "opps_si": "Q1", "code_type": "HCPCS", "opps_mar_stateavg": 82.02},
        GA | {"code": "D0145", "opps_si": "B", "code_type": "HCPCS", "reason": "not priced"},
        GA | {"code": "G2012", "opps_si": "D", "code_type": "HCPCS", "reason": "not priced"},
        GA | {"code": "90670", "opps_si": "L", "reason": "not priced"},
        GA | {"code": "27447", "opps_si": "C", "reason": "inpatient"},
        GA | {"code": "L1833", "opps_si": "A", "code_type": "HCPCS", "reason": "not priced"},
        GA | {"code": "A0429", "opps_si": "A", "code_type": "HCPCS", "reason": "not priced"},
    ]),
    Schedule("opps", "2025-07", "US", ["TX"], []),  # the newest release has no amounts for Georgia
    Schedule("asc", "2025-04", "US", ["GA"], [
        GA | {"code": "99213", "asc_pi": "P3", "asc_mar_stateavg": 50.0},
        GA | {"code": "0001F", "asc_pi": "B5", "reason": "not priced"},
        GA | {"code": "G2012", "asc_pi": "D5", "code_type": "HCPCS", "reason": "not priced"},
        GA | {"code": "0042T", "asc_pi": "J7", "reason": "not priced"},
        GA | {"code": "90670", "asc_pi": "F4", "reason": "not priced"},
        GA | {"code": "20930", "asc_pi": "N1", "reason": "packaged"},
    ]),
    Schedule("clfs", "2025-01", "US", ["US"], [
        LAB | {"code": "80048", "amount": 8.46},
        LAB | {"code": "80048", "modifier": "QW", "amount": 8.46},
        LAB | {"code": "0020M", "reason": "not priced", "indicator": "L"},
        LAB | {"code": "85025", "amount": 7.77},
    ]),
    Schedule("asp", "2025-01", "US", ["US"], [
        DRUG | {"code": "J0300", "amount": 0.042, "dosage": "125 MG"},
        DRUG | {"code": "A9606", "reason": "not priced", "dosage": "1 microCurie"},
    ]),
    Schedule("dmepos", "2025-01", "US", ["GA"], [
        ITEM | {"code": "E0143", "modifier": "NU", "amount": 59.29, "rural_amount": 98.65},
        ITEM | {"code": "E0143", "modifier": "RR", "amount": 5.93, "rural_amount": 14.21},
        ITEM | {"code": "E0143", "modifier": "KE,NU", "rural_amount": 110.79},
        ITEM | {"code": "L1833", "modifier": "", "amount": 541.68, "category": "PO"},
        ITEM | {"code": "V2786", "modifier": "", "reason": "not priced"},
        ITEM | {"code": "B4150", "modifier": "", "amount": 0.47, "list": "PEN", "category": None},
    ]),
]  # fmt: skip
