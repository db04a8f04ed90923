"""The versions that the tests have run on, and those that replfix does not work with."""

from __future__ import annotations

import re

import pytest

from replfix.core.schema.tested_versions import OLDEST, TESTED, too_old, untested
from tests.unit.house.test_docs import DOCS


@pytest.mark.parametrize(
    ("product", "version", "said"),
    [
        ("MySQL", "9.7.4-2", ""),
        ("MariaDB", "11.8.9-MariaDB-0+deb13u1 from Debian-log", ""),
        ("MariaDB", "11.8.10-MariaDB", "have not run on MariaDB 11.8.10, but of its series on 11.8.6, 11.8.9."),
        ("MySQL", "8.4.3", "have not run on MySQL 8.4.3, but on 9.7.4."),
    ],
)
def test_untested(product: str, version: str, said: str) -> None:
    assert untested(product, version).endswith(said)
    assert bool(untested(product, version)) is bool(said)


def test_the_documentation_names_the_same_versions() -> None:
    first = (DOCS / "servers.md").read_text().partition("## What works where")[0]
    named = {"MySQL": set(), "MariaDB": set()}  # type: dict[str, set[str]]
    for product, versions in re.findall(r"\*\*(\w+) [\d.]+\*\* \(([\d., ]+)\)", first):
        named[product].update(re.split(r",\s*", versions))
    assert named == {product: set(versions) for product, versions in TESTED.items()}


@pytest.mark.parametrize(
    ("product", "version"), [("MySQL", "8.0.21"), ("MySQL", "5.7.44-log"), ("MariaDB", "10.4.33-MariaDB")]
)
def test_too_old(product: str, version: str) -> None:
    number = ".".join(map(str, OLDEST[product]))
    assert f"needs {product} {number} or newer" in too_old(product, version)
    assert not too_old(product, number)
    assert not too_old(product, TESTED[product][-1])
