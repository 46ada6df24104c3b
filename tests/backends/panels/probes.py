"""What of an expression must return data while the system is under load and a fault.

A panel's expression as it is. Of a rule that compares (`... > 0.2`) what is compared, as it need not be true; and where it
names what another rule records, that rule's own expression in its place.
"""

from collections.abc import Iterator, Sequence

import promql_parser
from promql_parser import BinaryExpr, Call, Expr, NumberLiteral, ParenExpr, VectorSelector

from tests.unit.stack.expressions import Expression, of_rules
from tests.unit.stack.names import name_of, selectors

COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}
SETS = {"and", "or", "unless"}
ABSENCE = {"absent", "absent_over_time"}
PROFILES = ("demo", "production")
_OF_JAEGER = ("otelcol_", "traces_span_metrics_")


def of_rule_files() -> Iterator[Expression]:
    """Every expression that the rules' truth rests on, each once."""
    told: set[str] = set()
    for profile in PROFILES:
        rules = list(of_rules(profile))
        for rule in rules:
            for text in texts(inlined(rule.parsed, rules)):
                if text not in told:
                    told.add(text)
                    yield Expression(rule.where, text)


def texts(expression: Expr) -> Iterator[str]:
    """The operands of its comparisons and set operations; itself where it has none."""
    match expression:
        case ParenExpr():
            yield from texts(expression.expr)
        case BinaryExpr() if _chooses(expression):
            yield from texts(expression.lhs)
            yield from texts(expression.rhs)
        case Call() if expression.func.name in ABSENCE:
            yield from texts(expression.args[0])
        case NumberLiteral():
            return
        case _ if list(selectors(expression)) or isinstance(expression, Call):
            yield expression.prettify()


def _chooses(expression: BinaryExpr) -> bool:
    """Whether it leaves out what is on one side, depending on the other."""
    operator = str(expression.op)
    if operator in SETS:
        return not (operator == "or" and _is_default(expression.rhs))
    return operator in COMPARISONS and not (expression.modifier and expression.modifier.return_bool)


def _is_default(expression: Expr) -> bool:
    """`... or vector(0)` is one value."""
    return isinstance(expression, Call) and expression.func.name == "vector"


def inlined(expression: Expr, rules: Sequence[Expression]) -> Expr:
    """With each recorded series as what records it."""

    def replaced(node: Expr) -> Expr | None:
        found = _recording(node, rules)
        return None if found is None else inlined(promql_parser.parse(f"({found.text})"), rules)

    return promql_parser.transform(expression, post_visit=replaced)


def _recording(node: Expr, rules: Sequence[Expression]) -> Expression | None:
    if not isinstance(node, VectorSelector):
        return None
    wanted = {each.name: each.value for each in node.matchers.matchers}
    found = (each for each in rules if each.record and each.record == node.name)
    return next((each for each in found if wanted.items() <= each.labels.items()), None)


def only_of_jaeger(expression: Expression) -> bool:
    """Whether nothing tells it where no Jaeger runs."""
    return all(name_of(each).startswith(_OF_JAEGER) for each in selectors(expression.parsed))
