"""The workflow that runs the tests on other servers asks for what the lab has."""

from __future__ import annotations

import re

import pytest

from replfix.lab import flavours
from tests.places import ROOT

WORKFLOW = (ROOT / ".github" / "workflows" / "tests.yml").read_text("utf-8")
MATRIX = re.findall(r'image: "([^"]+)", server: (\S+), asked: "([^"]+)"', WORKFLOW)


@pytest.mark.parametrize(("image", "server", "asked"), MATRIX, ids=[image for image, _, _ in MATRIX])
def test_the_image_is_tagged_as_the_one_that_the_lab_asks_for(image: str, server: str, asked: str) -> None:
    assert flavours.find(server).image == asked
    assert image.split(":")[0] == asked.split(":")[0]


def test_every_series_that_the_lab_has_by_name_is_in_the_matrix() -> None:
    assert {flavours.find(name).image for name in ("mysql", "mariadb-10.11", "mariadb-11.8")} <= {m[0] for m in MATRIX}
