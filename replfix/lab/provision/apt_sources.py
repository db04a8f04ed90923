"""The machine's own apt sources: which archives it uses, read from both of apt's formats.

Source: sources.list(5). Mirrors are never named in replfix: the machine knows which one it may use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from replfix.lab.processes import run

_ONE_LINE = re.compile(
    r"deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>[^\s\[]\S*)\s+(?P<suite>\S+)\s*(?P<components>.*)"
)
_OPTION_FIELDS = {"arch": "Architectures", "lang": "Languages", "target": "Targets"}
_GENERIC_SUITES = ("stable", "oldstable", "testing", "unstable", "sid")


@dataclass(frozen=True, slots=True)
class Archive:
    """One stanza of a deb822 file. ``fields`` keeps what else it says (Signed-By, Trusted, …) as it was written."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    fields: tuple[tuple[str, str], ...] = ()

    def with_suites(self, *suites: str) -> Archive:
        """Return the archive with other suites."""
        return Archive(self.uris, suites, self.components, self.fields)

    def text(self) -> str:
        """Return it as a stanza of a ``.sources`` file."""
        lines = ["Types: deb", f"URIs: {' '.join(self.uris)}", f"Suites: {' '.join(self.suites)}"]
        if self.components:
            lines.append(f"Components: {' '.join(self.components)}")
        lines.extend(f"{name}: {value}" for name, value in self.fields)
        return "\n".join(lines) + "\n"


def parse_deb822(text: str) -> list[Archive]:
    """Return the enabled binary archives of a ``.sources`` file. Continued values (a key in full) keep their lines."""
    archives = []
    for stanza in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.split("\n"):
            if line.startswith("#"):
                continue
            if line[:1] in (" ", "\t") and name:
                fields[name] += "\n" + line
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        archives.append(
            Archive(
                tuple(fields.get("uris", "").split()),
                tuple(fields.get("suites", "").split()),
                tuple(fields.get("components", "").split()),
                tuple(
                    (name.title(), value)
                    for name, value in fields.items()
                    if name not in ("types", "uris", "suites", "components", "enabled")
                ),
            )
        )
    return archives


def parse_one_line(text: str) -> list[Archive]:
    """Return the binary archives of a ``.list`` file."""
    archives = []
    for line in text.splitlines():
        found = _ONE_LINE.match(line.partition("#")[0].strip())
        if not found:
            continue
        fields = []
        for option in (found["options"] or "").split():
            name, _, value = option.partition("=")
            fields.append((_OPTION_FIELDS.get(name, name.title()), value.replace(",", " ")))
        archives.append(Archive((found["uri"],), (found["suite"],), tuple(found["components"].split()), tuple(fields)))
    return archives


def read() -> list[Archive]:
    """Return every archive of the machine's apt, in apt's order. Files that cannot be read are left out."""
    code, text = run(["apt-config", "shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"])
    where = dict(re.findall(r"^(\w+)='([^']*)'$", text, re.M)) if code == 0 else {}
    main = Path(where.get("LIST", "/etc/apt/sources.list"))
    parts = Path(where.get("PARTS", "/etc/apt/sources.list.d"))
    return read_files([main, *sorted(parts.glob("*"))])


def read_files(paths: Iterable[Path]) -> list[Archive]:
    """Return the archives in those files that name a place and a suite."""
    archives = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if path.suffix == ".sources":
            archives.extend(parse_deb822(text))
        elif path.suffix == ".list":
            archives.extend(parse_one_line(text))
    return [archive for archive in archives if archive.uris and archive.suites]


def of_release(archives: Iterable[Archive], os_release: Mapping[str, str]) -> list[Archive]:
    """Return the archives of the distribution itself, with the suites of this release: third parties' are left out."""
    codenames = {os_release.get("VERSION_CODENAME"), os_release.get("DEBIAN_CODENAME")} - {None, ""}
    found = []
    for archive in archives:
        # Third parties call their suites "stable" too; Debian's own archives end in /debian on every mirror.
        generic = _GENERIC_SUITES if all(uri.rstrip("/").endswith("/debian") for uri in archive.uris) else ()
        suites = [s for s in archive.suites if re.split("[-/]", s)[0] in {*codenames, *generic}]
        if suites and "main" in archive.components:
            found.append(archive.with_suites(*suites))
    return found


def debian(suite: str, archives: Iterable[Archive], os_release: Mapping[str, str]) -> list[Archive]:
    """Return a release of Debian (or sid) on the mirrors that a Debian machine already uses.

    Empty on anything but Debian: the archives of other distributions have no such suite. Security archives have none
    either.
    """
    if os_release.get("ID") != "debian" and not os_release.get("DEBIAN_CODENAME"):
        return []
    return [
        Archive(archive.uris, (suite,), ("main",), archive.fields)
        for archive in of_release(archives, os_release)
        if not all(re.search(r"-security|/updates", own) for own in archive.suites)
    ]


def os_release(path: Path = Path("/etc/os-release")) -> dict[str, str]:
    """Return the fields of os-release(5), quotes taken off; empty where there is no such file."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return {name: value.strip("\"'") for name, value in re.findall(r"^([A-Z_]+)=(.*)$", text, re.M)}
