"""What is asked of every event before any rule: known, complete by the catalogue, not sent twice."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from mockcic.cic.advice import advise
from mockcic.cic.catalogue import catalogue
from mockcic.cic.message import Event, Refusal
from mockcic.errors import Finding
from mockcic.scenario.settings import Settings

REMEMBERED: Final = 1000
"""messageIds of one device kept to notice one that comes twice (INF)."""


LONGEST_ID: Final = 100
"""Of a longer one only a digest is kept (INF)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Findings, and a refusal when the settings want one."""

    findings: tuple[Finding, ...] = ()
    refusal: Refusal | None = None


class Admission:
    """Judges the events of one device by the scenario's settings (PROTOCOL 8, rows 19 to 21)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen: OrderedDict[str, None] = OrderedDict()

    def judge(self, event: Event) -> Verdict:
        """Findings about the event as it came, and whether it is refused for them."""
        findings: list[Finding] = []
        refusal: Refusal | None = None
        if self._was_seen(event.message_id):
            findings.append(
                Finding(
                    "message.id-twice",
                    f"messageId {event.message_id} again",
                    "an id of its own for each message (PROTOCOL 3.2)",
                    "make a fresh UUID for each event, also when one is sent again",
                )
            )
            if self._settings.duplicate_message_id == 400:
                refusal = Refusal(400, f"messageId {event.message_id} was used before")
        if event.full_name not in catalogue().events:
            near = catalogue().suggest("event", event.full_name)
            mend = f"did you mean {near[0]}?" if near else "`mockcic interfaces` lists the events there are"
            findings.append(
                Finding("event.unknown", event.full_name, "an event of the catalogue (PROTOCOL 3.2: INF)", mend)
            )
        elif self._settings.event_check != "off":
            judged = self._by_catalogue(event)
            findings.extend(judged)
            wrong = next((finding for finding in judged if finding.severity == "error"), None)
            if wrong is not None and refusal is None and self._settings.event_check == 400:
                refusal = Refusal(400, f"{event.full_name}: found {wrong.found}, expected {wrong.expected}")
        return Verdict(tuple(findings), refusal)

    def _by_catalogue(self, event: Event) -> list[Finding]:
        findings: list[Finding] = []
        for issue in catalogue().judge_event(event):
            if issue.code == "unknown-member" and not issue.mend:
                continue  # payloads are open (interfaces.yaml); only what looks like a slip of the pen is told
            said = advise(event, issue)
            expected = f"{said.expected} (catalogue)"
            findings.append(Finding(f"event.{issue.code}", said.found, expected, said.mend, issue.severity))
        return findings

    def _was_seen(self, message_id: str) -> bool:
        key = message_id if len(message_id) <= LONGEST_ID else hashlib.sha256(message_id.encode()).hexdigest()
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False
