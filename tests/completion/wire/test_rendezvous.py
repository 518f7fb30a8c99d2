"""Keys to servers: the same for everyone, evenly, and moving no more than they must."""

from __future__ import annotations

from collections import Counter

from completion.wire.rendezvous import ranked

SERVERS = ["unix:/a", "unix:/b", "10.0.0.1:50151", "10.0.0.2:50151"]
KEYS = [f"src/module_{n}.py" for n in range(2000)]


def owner(key: str, servers: list[str]) -> str:
    return servers[ranked(key, servers)[0]]


def test_the_order_in_which_servers_are_named_makes_no_difference():
    for key in KEYS[:200]:
        assert owner(key, SERVERS) == owner(key, SERVERS[::-1])


def test_each_gets_its_share():
    counts = Counter(owner(key, SERVERS) for key in KEYS)
    assert len(counts) == len(SERVERS)
    # of a binomial law with n = 2000, p = 1/4: within five standard deviations
    assert all(abs(count - 500) < 5 * (2000 / 4 * 3 / 4) ** 0.5 for count in counts.values())


def test_when_one_goes_only_its_keys_move_and_to_the_one_named_next():
    for gone in SERVERS:
        left = [server for server in SERVERS if server != gone]
        for key in KEYS[:300]:
            first, second = (SERVERS[n] for n in ranked(key, SERVERS)[:2])
            assert owner(key, left) == (second if first == gone else first)


def test_names_of_files_that_are_no_utf8_have_a_server():
    assert sorted(ranked("a\udcff.py", SERVERS)) == [0, 1, 2, 3]
