from hypothesis import given
from hypothesis import strategies as st

from services.chassis.principal import Principal, from_metadata

word = st.text(st.characters(codec="ascii", exclude_categories=("Cc", "Zs")), min_size=1)


@given(st.builds(Principal, word, word, st.frozensets(word)))
def test_what_is_sent_inward_arrives(principal: Principal) -> None:
    assert from_metadata(principal.as_metadata()) == principal


def test_nobody_is_nobody() -> None:
    assert from_metadata({}) is None
    assert from_metadata({"x-user-id": "user-1"}) is None


def test_scopes() -> None:
    principal = Principal("user-1", "demo", frozenset({"orders:read"}))
    assert principal.may("orders:read")
    assert not principal.may("orders:write")
