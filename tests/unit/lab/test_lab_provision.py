"""The lab's sources of servers, without any server: apt's configuration, versions, package names."""

from __future__ import annotations

from pathlib import Path

import pytest

from replfix.errors import ConfigError, UsageError
from replfix.lab.flavours import find
from replfix.lab.narration import Quiet
from replfix.lab.provision import apt_sources, choose_provision
from replfix.lab.provision.apt_sources import Archive
from replfix.lab.provision.packages import NoPackages, newest
from replfix.lab.provision.software import Software, identify

DEBIAN = {"ID": "debian", "VERSION_CODENAME": "bookworm"}

DEB822 = """\
# the mirror next door
Types: deb deb-src
URIs: https://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: https://mirror.test/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: https://mirror.test/off
Suites: bookworm
Components: main

Types: deb-src
URIs: https://mirror.test/debian
Suites: bookworm
Components: main
"""

ONE_LINE = """\
deb [arch=amd64,arm64 signed-by=/k.gpg trusted=yes] http://mirror.test/debian bookworm main non-free # ours
deb-src http://mirror.test/debian bookworm main
# deb http://mirror.test/gone bookworm main
deb https://vendor.test/apt stable main
deb http://mirror.test/flat ./
"""


def test_deb822_keeps_keys_and_leaves_out_what_is_off() -> None:
    first, second = apt_sources.parse_deb822(DEB822)
    assert first.uris == ("https://mirror.test/debian",)
    assert first.suites == ("bookworm", "bookworm-updates")
    assert first.components == ("main", "contrib")
    assert second.fields == (("Signed-By", "/usr/share/keyrings/debian-archive-keyring.gpg"),)
    text = first.with_suites("sid").text()
    assert "Suites: sid\n" in text
    assert apt_sources.parse_deb822(text) == [first.with_suites("sid")]
    assert "\n .\n mQINBF\n" in text


def test_one_line_format() -> None:
    first, vendor, flat = apt_sources.parse_one_line(ONE_LINE)
    assert first.components == ("main", "non-free")
    assert first.fields == (("Architectures", "amd64 arm64"), ("Signed-By", "/k.gpg"), ("Trusted", "yes"))
    assert vendor.suites == ("stable",)
    assert flat.components == ()


@pytest.mark.parametrize("text", ["", "\n\n", "deb", "Types: deb\n", ": :\n", "\0", "deb [unclosed http://x y z"])
def test_nonsense_is_no_archive(tmp_path: Path, text: str) -> None:
    for name in ("a.list", "b.sources"):
        (tmp_path / name).write_text(text)
    assert apt_sources.read_files([*tmp_path.iterdir(), tmp_path / "missing.list"]) == []


def test_own_suites_leave_third_parties_out() -> None:
    own = apt_sources.of_release(apt_sources.parse_deb822(DEB822) + apt_sources.parse_one_line(ONE_LINE), DEBIAN)
    assert [a.uris[0] for a in own] == [
        "https://mirror.test/debian",
        "https://mirror.test/debian-security",
        "http://mirror.test/debian",
    ]


def test_sid_comes_from_debians_own_mirrors_only() -> None:
    archives = apt_sources.parse_deb822(DEB822)
    (sid,) = apt_sources.debian("sid", archives, DEBIAN)
    assert (sid.uris, sid.suites, sid.components) == (("https://mirror.test/debian",), ("sid",), ("main",))
    assert apt_sources.debian("sid", archives, {"ID": "ubuntu", "VERSION_CODENAME": "bookworm"}) == []
    generic = Archive(("http://mirror.test/debian/",), ("testing",), ("main",))
    assert apt_sources.debian("sid", [generic], {"ID": "debian"})


def test_os_release(tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    file.write_text('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12"\n')
    assert apt_sources.os_release(file) == {"ID": "debian", "PRETTY_NAME": "Debian GNU/Linux 12"}
    assert apt_sources.os_release(tmp_path / "none") == {}


def test_the_servers_package() -> None:
    ubuntu = "mysql-server-core-8.0 - MySQL\nmysql-server-core-8.4 - MySQL\nmysql-server-core-10.0 - MySQL\n"
    assert newest("mysql-server-core", ubuntu) == "mysql-server-core-10.0"
    assert newest("mysql-server-core", ubuntu + "mysql-server-core - MySQL\n") == "mysql-server-core"
    assert newest("mariadb-server-core", "mariadb-server-core - MariaDB\n") == "mariadb-server-core"
    with pytest.raises(NoPackages):
        newest("mysql-server-core", "mariadb-server-core - MariaDB\ndefault-mysql-server-core - MariaDB\n")


def program(path: Path, says: str, code: int = 0) -> tuple[str]:
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    path.chmod(0o755)
    return (str(path),)


@pytest.mark.parametrize(
    ("flavour", "says", "code", "reason"),
    [
        ("mysql", "mysqld  Ver 10.11.6-MariaDB for debian-linux-gnu", 0, "MariaDB 10.11.6, not MySQL"),
        ("mysql", "mysqld  Ver 5.7.44 for Linux on x86_64", 0, "8.0.30 or newer"),
        ("mysql", "mysqld  Ver 9.7.4 for Linux on x86_64", 1, "no mysqld that works"),
        ("mysql", "error while loading shared libraries: libaio.so.1", 127, "libaio"),
        ("mariadb", "mariadbd  Ver 9.7.4 for Linux on x86_64", 0, "MySQL 9.7.4, not MariaDB"),
        ("mariadb", "mariadbd  Ver 10.6.1-MariaDB-log for Linux", 0, "10.11 or newer"),
        ("mariadb-10.11", "mariadbd  Ver 11.8.6-MariaDB-0+deb13u1 from Debian", 0, "MariaDB 11.8.6, not 10.11"),
    ],
)
def test_programs_that_cannot_serve(tmp_path: Path, flavour: str, says: str, code: int, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        identify(find(flavour), "test", program(tmp_path / "mysqld", says, code))


@pytest.mark.parametrize(
    ("flavour", "says", "title", "client"),
    [
        ("mysql", "/x/mysqld  Ver 8.4.3-2ubuntu1 for Linux on aarch64", "MySQL 8.4.3-2ubuntu1", "mysqlbinlog"),
        ("mariadb", "mariadbd  Ver 11.4.2-MariaDB for Linux", "MariaDB 11.4.2", "mariadb-binlog"),
        ("mariadb-10.11", "mariadbd  Ver 10.11.9-MariaDB-log for x", "MariaDB 10.11.9-log", "mariadb-binlog"),
    ],
)
def test_a_program_that_can(tmp_path: Path, flavour: str, says: str, title: str, client: str) -> None:
    software = identify(find(flavour), "test", program(tmp_path / "mysqld", says))
    assert software.title == title
    assert Software.from_json(software.as_json()) == software
    assert software.server_command("--port=1")[1] == "--no-defaults"
    with pytest.raises(ConfigError, match=client):
        software.client_command("mysqlbinlog")


def test_a_named_program_is_never_replaced_by_another(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be started"):
        choose_provision.provision(find("mysql"), str(tmp_path / "none"), Quiet(), tmp_path)


def test_unknown_servers() -> None:
    with pytest.raises(UsageError) as caught:
        find("mariadb-12")
    assert caught.value.hint.startswith("Did you mean 'mariadb")
    assert caught.value.hint.endswith("? Servers: mysql, mariadb, mariadb-10.5, mariadb-10.11, mariadb-11.8.")
