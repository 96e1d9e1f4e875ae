"""Which findings an event has before any rule is asked."""

from __future__ import annotations

from typing import Any

import pytest

from mockcic.cic.message import Event
from mockcic.scenario.admission import Admission
from mockcic.scenario.settings import Settings


@pytest.mark.parametrize(
    ("payload", "codes"),
    [
        ({"token": "t", "vendorMember": {"a": 1}}, []),
        ({"token": "t", "tokn": "t"}, ["event.unknown-member"]),
        ({"tokn": "t"}, ["event.unknown-member", "event.missing"]),
    ],
    ids=["a member of one's own", "nearly a member of the guide", "instead of it"],
)
def test_members_that_the_guide_does_not_name_are_told_only_where_they_look_like_a_slip(
    payload: dict[str, Any], codes: list[str]
) -> None:
    """Payloads are open: the guide's own samples have members that its tables lack (interfaces.yaml)."""
    admission = Admission(Settings().for_profile("2021"))
    verdict = admission.judge(Event("SpeechSynthesizer", "SpeechStarted", "m1", payload, None, {}))
    assert [finding.code for finding in verdict.findings] == codes
