"""URLs of servers: what is read out of them, and that no password gets out of them again."""

from __future__ import annotations

import traceback

import pytest

from replfix.core.endpoint import Endpoint, Secret
from replfix.errors import UsageError

PASSWORD = "s3cr3t"


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("mysql://h", Endpoint("h")),
        ("MariaDB://h:3307/", Endpoint("h", 3307)),
        ("mysql://u@h", Endpoint("h", user="u")),
        ("mysql://u:p@h:1", Endpoint("h", 1, "u", Secret("p"))),
        ("mysql://u:@h", Endpoint("h", user="u", password=Secret(""))),
        ("mysql://us%40er:p%3A%2F%25@h", Endpoint("h", user="us@er", password=Secret("p:/%"))),
        ("mysql://u:p@[::1]:3306", Endpoint("::1", user="u", password=Secret("p"))),
    ],
)
def test_urls(url: str, endpoint: Endpoint) -> None:
    assert Endpoint.parse(url) == endpoint


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "no scheme"),
        (f"u:{PASSWORD}@h", "no scheme"),
        (f"postgres://u:{PASSWORD}@h", "Unknown scheme 'postgres'"),
        (f"mysql://u:{PASSWORD}@", "names no host"),
        (f"mysql://u:{PASSWORD}@h:0", "cannot be 0"),
        (f"mysql://u:{PASSWORD}@h:x", "cannot be read"),
        (f"mysql://u:{PASSWORD}@h:70000", "cannot be read"),
        (f"mysql://u:{PASSWORD}@[::1", "cannot be read"),
        (f"mysql://u:{PASSWORD}@h/db", "ends after the port"),
        (f"mysql://u:{PASSWORD}@h?x=1", "ends after the port"),
        (f"mysql://u:{PASSWORD}#@h", "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(url: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        Endpoint.parse(url)
    assert caught.value.hint
    told = "".join(traceback.format_exception_only(caught.value)) + caught.value.message + caught.value.hint
    assert PASSWORD not in told


def test_no_text_of_an_endpoint_shows_the_password() -> None:
    endpoint = Endpoint.parse(f"mysql://u:{PASSWORD}@h")
    assert str(endpoint) == "h:3306"
    assert PASSWORD not in f"{endpoint} {endpoint!r} {endpoint.password} {endpoint.password!r} {[endpoint]}"
    assert endpoint.password is not None
    assert endpoint.password.reveal() == PASSWORD


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert str(Endpoint("fe80::1", 3307)) == "[fe80::1]:3307"


def test_the_account_of_another_endpoint() -> None:
    other = Endpoint("x", 1, "dba", Secret("p"))
    assert Endpoint("h", 2).with_account_of(other) == Endpoint("h", 2, "dba", Secret("p"))
    own = Endpoint("h", 2, "me")
    assert own.with_account_of(other) is own


def test_secrets_are_compared_by_their_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
