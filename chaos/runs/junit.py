"""A run as JUnit XML, as Ant writes it and build servers read it: a suite for each arm, a test case for each claim."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chaos.runs.record import Record

Document = dict[str, Any]


def render(record: Record) -> str:
    """The XML of a record."""
    root = ET.Element("testsuites", name=f"faultline chaos {record['experiment']['name']}")
    for arm in record["arms"]:
        root.append(_suite(record, arm))
    root.append(_verdict(record))
    _count(root)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(record: Record, arm: Document) -> ET.Element:
    name = f"{record['experiment']['name']}.{arm['policy'] or 'as-is'}.{arm['run']}"
    suite = ET.Element("testsuite", name=name, timestamp=arm["found"].get("began_at", record["began_at"]))
    suite.extend(_cases(name, arm))
    return suite


def _cases(name: str, arm: Document) -> Iterator[ET.Element]:
    """An arm that is meant to deviate fails nothing: its broken claims are told as skipped."""
    failure = "failure" if arm["expected"] == "holds" else "skipped"
    for claim in arm["found"].get("assertions") or ():
        case = ET.Element("testcase", classname=name, name=claim["name"])
        if not claim["holds"]:
            ET.SubElement(case, failure, message=claim["said"])
        yield case


def _verdict(record: Record) -> ET.Element:
    """The run as a whole, which knows what single claims do not: no effect, a stop, an interruption."""
    verdict, name = record["verdict"], str(record["experiment"]["name"])
    suite = ET.Element("testsuite", name=f"{name}.verdict", timestamp=record["began_at"])
    case = ET.SubElement(suite, "testcase", classname=name, name="verdict", time=f"{_lasted_s(record):.3f}")
    if verdict["exit_code"]:
        failure = ET.SubElement(case, "failure", message=verdict["outcome"])
        failure.text = "\n".join(verdict["reasons"])
    return suite


def _lasted_s(record: Record) -> float:
    began, ended = (datetime.fromisoformat(record[name]) for name in ("began_at", "ended_at"))
    return (ended - began).total_seconds()


def _count(root: ET.Element) -> None:
    for suite in root:
        for name, tag in (("tests", "testcase"), ("failures", "testcase/failure"), ("skipped", "testcase/skipped")):
            suite.set(name, str(len(suite.findall(tag))))
        suite.set("errors", "0")
