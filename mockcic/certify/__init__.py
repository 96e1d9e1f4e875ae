"""Certification: a device walks a suite of scenarios; one report, evidence that can be checked, a verdict."""

from mockcic.certify.evidence import Evidence, check_evidence, write_evidence
from mockcic.certify.process import Process
from mockcic.certify.run import Attached, Command, Driver, Outcome, Place, StepResult, certify
from mockcic.certify.suite import Step, Suite, read_suite

__all__ = [
    "Attached",
    "Command",
    "Driver",
    "Evidence",
    "Outcome",
    "Place",
    "Process",
    "Step",
    "StepResult",
    "Suite",
    "certify",
    "check_evidence",
    "read_suite",
    "write_evidence",
]
