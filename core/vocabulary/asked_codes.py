"""The codes that people mean who only say the kind of a scan: "MRI" is seldom the heart's."""

ASKED_CODES: dict[str, tuple[str, ...]] = {
    "mri": (
        "73721", "72148", "70551", "70553", "73221", "72141", "72146", "73718", "72158", "74183", "72197", "77049",
    ),
    "ct": ("70450", "74177", "74176", "71250", "71260", "72131", "72125", "70486", "70491", "74160"),
    "xray": ("71046", "73562", "72100", "73630", "73610", "73030", "73130", "72040", "73502", "74018"),
    "ultrasound": ("76700", "76705", "76830", "76856", "76805", "76536", "76770", "93970", "93306", "76641"),
}  # fmt: skip
"""By the word for the kind, as service_words has it, the codes that are asked for most often, in that order."""
