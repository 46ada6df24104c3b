"""What an invariant is: whom it is about, and what must be true of each."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from chaos.invariants.evidence import Evidence
from chaos.invariants.report import Checked
from chaos.invariants.violation import Violation


class Subject(Protocol):
    """What an invariant is about; `subject` names it among its kind."""

    @property
    def subject(self) -> str: ...


S = TypeVar("S", bound=Subject)

Mismatch = tuple[str, str]
"""What was found, and what was expected."""

Subjects = Callable[[Evidence], Iterable[S]]
Rule = Callable[[Evidence, S], Iterator[Mismatch]]


@dataclass(frozen=True)
class Invariant(Generic[S]):
    """`promise` is a sentence that is true while `rule` yields nothing for any of `subjects`."""

    name: str
    promise: str
    subjects: Subjects[S]
    rule: Rule[S]

    def check(self, evidence: Evidence) -> Checked:
        """Looks at every subject."""
        looked_at, violations = 0, []
        for each in self.subjects(evidence):
            looked_at += 1
            violations += [Violation(self.name, each.subject, *mismatch) for mismatch in self.rule(evidence, each)]
        return Checked(self.name, self.promise, looked_at, tuple(violations))


def about(subjects: Subjects[S]) -> Callable[[Rule[S]], Invariant[S]]:
    """Makes an invariant of a rule: its name is the function's, its promise the first line of its docstring."""

    def made(rule: Rule[S]) -> Invariant[S]:
        promise = (inspect.getdoc(rule) or "").partition("\n")[0]
        return Invariant(rule.__name__.replace("_", "-"), promise, subjects, rule)

    return made
