from observability.alerting.ring import Ring


def test_it_tells_how_much_counts_grew_in_a_window() -> None:
    ring = Ring(2, horizon_s=100, step_s=1)
    for at in range(11):
        ring.append(at, [at, 10 * at])
    assert ring.increases(10, 4, [10, 100]) == [4, 40]


def test_a_window_longer_than_what_is_known_begins_at_the_oldest() -> None:
    ring = Ring(1, horizon_s=100, step_s=1)
    ring.append(5, [7])
    assert ring.increases(6, 50, [9]) == [2]
    assert Ring(1, 10, 1).increases(6, 50, [9]) == [0]


def test_it_is_bounded() -> None:
    ring = Ring(1, horizon_s=10, step_s=2)
    for at in range(1000):
        ring.append(at, [at])
        assert len(ring) <= 7
    assert ring.increases(999, 10, [999]) == [11]
