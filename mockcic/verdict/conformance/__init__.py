"""Where a device departs from the guide: rules that judge the facts of a journal after the fact, one function each.

`story.py` makes of entries what a device did, in its own words; the rules of a file each look at it and say what they
saw kept and what broken (`rule.py`); `rules.py` is the list of them; `conformance.py` judges all devices by all rules.
"""

from mockcic.verdict.conformance.conformance import (
    Conformance,
    ConformanceError,
    DeviceConformance,
    judge,
    read_conformance,
    rules_but,
)
from mockcic.verdict.conformance.limits import LimitError, Limits, read_limits
from mockcic.verdict.conformance.recovery import Recovery, read_recovery, recoveries_in
from mockcic.verdict.conformance.rule import Rule, RuleVerdict
from mockcic.verdict.conformance.rules import RULES

__all__ = [
    "RULES",
    "Conformance",
    "ConformanceError",
    "DeviceConformance",
    "LimitError",
    "Limits",
    "Recovery",
    "Rule",
    "RuleVerdict",
    "judge",
    "read_conformance",
    "read_limits",
    "read_recovery",
    "recoveries_in",
    "rules_but",
]
