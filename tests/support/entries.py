"""Entries made by hand, as docs/journal.md has them, and a small life of a device."""

from __future__ import annotations

from typing import Any

from mockcic.journal.entry import Entry, Kind
from mockcic.journal.filter import read_filter
from mockcic.verdict.judge import verify
from mockcic.verdict.times import exactly

WALL_S = 1_772_420_400.0
"""2026-03-02T03:00:00Z."""

MEMBERS = ("device", "connection", "stream", "dialogue", "name")


class Entries(list[Entry]):
    """`add` numbers them and gives each the wall time that belongs to its `at_s`."""

    def add(self, kind: Kind, at_s: float, name: str = "", **members: Any) -> Entry:
        """The next one; `device` is …4f2a and `connection` c1 unless told otherwise."""
        own = {"device": "…4f2a", "connection": "c1", "name": name}
        own |= {member: members.pop(member) for member in MEMBERS if member in members}
        entry = Entry(len(self) + 1, kind, at_s, WALL_S + at_s, **own, data=members)
        self.append(entry)
        return entry


SOUND = b"\x01\x00" * 16_000
SOUND_DIGEST = "b" * 64
SPEECH_DIGEST = "a" * 64


def a_life(ids: str = "1", *, late_s: float = 0.0, text: str = "맑아요") -> Entries:
    """Connect, speak, be answered, be refused, give up, go. `ids` makes every id another one."""
    d1 = f"{ids * 8}-aaaa-4aaa-8aaa-{ids * 12}"
    cid = f"{ids * 8}-bbbb-4bbb-8bbb-{ids * 12}"
    message = f"{ids * 8}-cccc-4ccc-8ccc-{ids * 12}"
    life = Entries()
    life.add("connect", 0.0, f"127.0.0.1:5000{ids}", device="", tls=True, alpn="h2")
    life.add("device", 0.001, "new", user_agent="Speaker/1.0", tags=["kitchen"])
    life.add("downchannel", 0.002, "open", stream="c1.1", replaced=False)
    recognize = {"stream": "c1.3", "dialogue": d1}
    life.add(
        "event",
        2.0,
        "SpeechRecognizer.Recognize",
        **recognize,
        message_id=message,
        header={"messageId": message, "dialogRequestId": d1},
        payload={"lang": "ko"},
        contexts={"Speaker.VolumeState": {"volume": 5}},
        request={"authorization": f"…{ids * 4}", "content-type": f"multipart/form-data; boundary=b{ids}"},
        parts=[{"name": "metadata", "headers": {}, "bytes": 300, "text": message}],
    )
    life.add(
        "directive", 3.0, "SpeechRecognizer.StopCapture", stream="c1.1", dialogue=d1, line="downchannel", payload={}
    )
    life.add(
        "upload",
        3.1,
        "SpeechRecognizer.Recognize",
        **recognize,
        bytes=len(SOUND),
        seconds=1.0,
        sha256=SOUND_DIGEST,
        level_dbfs=-12.0,
        parts=[],
    )
    life.add("match", 3.1, "weather", stream="c1.3", scenario="weather")
    life.add("step", 3.1, "wait", stream="c1.3", detail="200ms")
    at = 3.3 + late_s
    speak = {"url": f"cid:{cid}", "ttsText": text}
    life.add("directive", at, "SpeechSynthesizer.Speak", **recognize, line="reply", payload=speak, bytes=400 + int(ids))
    life.add("attachment", at, cid, **recognize, line="reply", bytes=8900, sha256=SPEECH_DIGEST, type="audio/mpeg")
    life.add(
        "answer",
        at,
        "SpeechRecognizer.Recognize",
        **recognize,
        status=200,
        bytes=9400,
        seconds=1.3 + late_s,
        lost=False,
    )
    life.add("state", at, "told", before="start")
    life.add("ping", 30.0, "frame")
    life.add("ping", 60.0, "frame")
    wrong = {"stream": "c1.5"}
    life.add("event", 61.0, "Foo.Bar", **wrong, payload={"text": "<b>; # 100%"})
    life.add(
        "finding", 61.0, "event.unknown", **wrong, severity="warning", found="Foo.Bar", expected="an event", mend="ask"
    )
    misses = [{"member": "event", "expected": "Clova.Hello", "got": "Foo.Bar"}]
    life.add(
        "match", 61.0, **wrong, scenario="weather", event="Foo.Bar", nearest=[{"rule": "weather", "misses": misses}]
    )
    refusal = {"status": 400, "description": "no such event"}
    life.add("exception", 61.1, "System.Exception", **wrong, **refusal, code=400, event="Foo.Bar")
    life.add("answer", 61.1, "Foo.Bar", **wrong, **refusal, bytes=100, seconds=0.1, lost=False)
    life.add("event", 62.0, "Clova.Wait", stream="c1.7", payload={})
    life.add("answer", 72.0, "Clova.Wait", stream="c1.7", status=None, bytes=0, seconds=10.0, lost=True)
    life.add("directive", 73.0, "Clova.RenderText", line="downchannel", dropped="no downchannel", why="a push")
    client = {"client_id": "acme", "device_id": "kitchen-4f2a", "model_id": "one"}
    issued = {"what": "access token", "short": f"…{ids * 4}", **client}
    life.add("token", 73.1, "granted", stream="c1.9", **issued, grant="authorization_code", lives_s=332_000.0)
    life.add("token", 73.2, "expired", **issued, why="its time was over")
    refused = {"grant": "refresh_token", "status": 400, "error": "invalid_grant", "why": "unknown refresh token"}
    life.add("token", 73.3, "refused", stream="c1.11", **client, **refused)
    beware = {"severity": "warning", "mend": "shipped firmware unbinds the account for good"}
    life.add("token", 73.4, "event-401", stream="c1.13", why="the access token has expired", **beware)
    turned = {"by_s": 28_800.0, "to": "2026-03-02T11:01:13.500+00:00", "clock": "2026-03-02T03:01:13.500+00:00"}
    life.add("clock", 73.45, "turned", device="", connection="", **turned)
    fault = {"act": "reset", "on": "downchannel", "detail": "RST_STREAM CANCEL"}
    life.add("fault", 73.5, "cut-line", connection="", **fault, phase="armed")
    life.add("fault", 74.0, "cut-line", stream="c1.1", **fault, phase="struck")
    life.add("downchannel", 74.0, "closed", stream="c1.1", reason="the device ended it")
    life.add("disconnect", 74.0, f"127.0.0.1:5000{ids}", device="", reason="closed by the client")
    verdict = verify(life, read_filter("Clova.Wait"), exactly(2))
    life.add("verdict", 75.0, verdict.asked, device="", connection="", **verdict.members())
    return life
