"""URLs of servers: what is read out of them, and that no password gets out of them again."""

from __future__ import annotations

import traceback

import pytest

from replfix.core.connection.endpoint import Endpoint, Secret
from replfix.core.connection.tls import Tls, TlsMode
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
        ("mysql://u@h/?socket=/run/a%20b.sock", Endpoint("h", user="u", socket="/run/a b.sock")),
        ("mysql://h?ssl_mode=required", Endpoint("h", tls=Tls(TlsMode.REQUIRED))),
        (
            "mysql://h?ssl-ca=/c+a.pem&tls-version=TLSv1.3",
            Endpoint("h", tls=Tls(ssl_ca="/c+a.pem", tls_version="TLSv1.3")),
        ),
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
        (f"mysql://u:{PASSWORD}@h?x=1", "option that is not known"),
        (f"mysql://u:1?{PASSWORD}@h", "option that is not known"),
        (f"mysql://u:{PASSWORD}@h?ssl-mode=VERIFY", "ssl-mode is one of DISABLED, PREFERRED"),
        (f"mysql://u:{PASSWORD}@h?tls-version=TLSv1.1", "tls-version is TLSv1.2 or TLSv1.3"),
        (f"mysql://u:{PASSWORD}@h?ssl-ca=", "option ssl-ca of the URL has no value"),
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


@pytest.mark.parametrize(
    ("url", "local"),
    [("mysql://127.9.9.9", True), ("mysql://[::1]", True), ("mysql://localhost", True), ("mysql://localhost.evil", False),
     ("mysql://10.0.0.1", False), ("mysql://10.0.0.1?socket=/s", True)],
)  # fmt: skip
def test_what_stays_on_this_machine(url: str, local: bool) -> None:
    assert Endpoint.parse(url).local is local


def test_the_account_of_another_endpoint() -> None:
    other = Endpoint("x", 1, "dba", Secret("p"))
    assert Endpoint("h", 2).visited_as(other) == Endpoint("h", 2, "dba", Secret("p"))
    own = Endpoint("h", 2, "me")
    assert own.visited_as(other) == own


def test_secrets_are_compared_by_their_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
