import pytest

from chaos.load.outcomes import NOT_SENT, of_answer, unanswered


@pytest.mark.parametrize(
    ("status", "problem_type", "text", "outcome_class"),
    [
        (200, None, "200", "success"),
        (201, None, "201", "success"),
        (202, None, "202", "degraded"),
        (302, None, "302", "failed"),
        (402, "/problems/payment-declined", "402 payment-declined", "refused"),
        (404, "about:blank", "404", "refused"),
        (500, "/problems/internal", "500 internal", "failed"),
        (503, "/problems/../../etc", "503", "failed"),
        (503, ["/problems/x"], "503", "failed"),
        (500, "/problems/" + "x" * 65, "500", "failed"),
    ],
)
def test_an_answer_has_a_class_a_status_and_a_slug(
    status: int, problem_type: object, text: str, outcome_class: str
) -> None:
    outcome = of_answer(status, problem_type)
    assert str(outcome) == text
    assert outcome.outcome_class == outcome_class


def test_what_was_last_seen_is_no_success() -> None:
    assert of_answer(200, None, stale=True).outcome_class == "degraded"
    assert of_answer(503, "/problems/service-unavailable", stale=True).outcome_class == "failed"


def test_no_answer_says_why() -> None:
    assert str(unanswered("timeout")) == "unanswered timeout"
    assert str(NOT_SENT) == "not sent too-many-in-flight"
