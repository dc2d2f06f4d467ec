"""The codes that people mean who say no more than a kind: "MRI" is seldom the heart's.

A CT of the abdomen is mostly one of the pelvis as well, and urgent care is mostly billed as an office visit.
"""

ASKED_CODES: dict[str, tuple[str, ...]] = {
    "mri": (
        "73721", "72148", "70551", "70553", "73221", "72141", "72146", "73718", "72158", "74183", "72197", "77049",
    ),
    "ct": ("70450", "74177", "74176", "71250", "71260", "72131", "72125", "70486", "70491", "74160"),
    "xray": ("71046", "73562", "72100", "73630", "73610", "73030", "73130", "72040", "73502", "74018"),
    "ultrasound": ("76700", "76705", "76830", "76856", "76805", "76536", "76770", "93970", "93306", "76641"),
    "abdomen ct": ("74177", "74176", "74178", "74150", "74160", "74170"),
    "urgent care": ("99213", "99203", "99214", "99204", "S9083", "S9088"),
    "urgent care visit": ("99213", "99203", "99214", "99204", "S9083", "S9088"),
}  # fmt: skip
"""By the words for the kind, as service_words has them, the codes that are asked for most often, in that order."""
