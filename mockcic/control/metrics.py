"""Numbers for Prometheus, read from what there is when they are asked for: counting costs the devices nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mockcic.journal.entry import KINDS

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from mockcic.control.desk import Desk


class Numbers:
    """A collector of the Prometheus client library over one server."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def describe(self) -> list[Metric]:
        """Nothing is known before it is asked for."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All numbers, now."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        desk = self._desk
        journal, devices = desk.cic.journal, list(desk.cic.devices)
        yield InfoMetricFamily("mockcic", "Which mockcic this is.", value={"version": desk.version})
        entries = CounterMetricFamily("mockcic_entries", "What happened, by kind of entry.", labels=["kind"])
        for kind in KINDS:
            entries.add_metric([kind], journal.counts[kind])
        yield entries
        yield CounterMetricFamily(
            "mockcic_journal_dropped", "Entries that went because newer ones came.", value=journal.dropped_ever
        )
        yield GaugeMetricFamily("mockcic_journal_entries", "Entries that are kept.", value=len(journal))
        yield GaugeMetricFamily("mockcic_journal_bytes", "Memory of kept entries, estimated.", value=journal.bytes)
        yield GaugeMetricFamily("mockcic_spool_bytes", "Sound that is kept as files.", value=journal.spool.bytes)
        yield CounterMetricFamily(
            "mockcic_spool_dropped", "Sounds that went because newer ones came.", value=journal.spool.dropped
        )
        yield GaugeMetricFamily("mockcic_devices", "Devices that have been seen.", value=len(devices))
        yield GaugeMetricFamily(
            "mockcic_downchannels",
            "Open downchannels.",
            value=sum(device.downchannel is not None for device in devices),
        )
        yield GaugeMetricFamily(
            "mockcic_events_running",
            "Events that are being answered now.",
            value=sum(len(device.exchanges) for device in devices),
        )


def page(desk: Desk) -> tuple[bytes, str]:
    """The page of /metrics and its content type."""
    from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Numbers(desk))
    return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4
