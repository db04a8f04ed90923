"""Way 4: the distribution's packages, unpacked into the cache directory. Nothing is installed and no root is needed.

apt works on a state of its own: an empty status file makes it fetch every library that the server needs, the C library
and its loader included, and the server is started through that loader. So the packages need not be of this machine's release.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from replfix.errors import ConfigError
from replfix.lab.flavours import Flavour
from replfix.lab.narration import Narrator
from replfix.lab.processes import run
from replfix.lab.provision import apt_sources
from replfix.lab.provision.apt_sources import Archive
from replfix.lab.provision.software import Software, identify
from replfix.lab.shared_files import directory_made_whole, locked, write_whole

_RECORD = "replfix.json"
_VERSION = re.compile(r"^Version: (?:\d+:)?(\S+)$", re.M)
_GET = re.compile(r"Get:\d+ ")
_UNUSED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/perl")


class NoPackages(ConfigError):
    """These archives cannot give a server; the next ones may."""


def software(flavour: Flavour, cache: Path, narrator: Narrator) -> Software:
    """Return the packages that were unpacked before (no network is needed then), or fetch them.

    ConfigError names what is missing: apt, dpkg, archives with such a server, or the network.
    """
    servers = cache / "servers"
    known = _recorded(flavour, servers)
    if known is not None:
        return known
    missing = [tool for tool in ("apt-get", "apt-cache", "apt-config", "dpkg") if shutil.which(tool) is None]
    if missing:
        raise NoPackages(f"packages cannot be fetched: this machine has no {' and no '.join(missing)}")

    def on_wait() -> None:
        narrator.say("Another replfix is fetching the packages: waiting for it.")

    with locked(servers / ".lock", on_wait):
        known = _recorded(flavour, servers)  # the other one has done it
        return known if known is not None else _fetch(flavour, servers, narrator)


def _recorded(flavour: Flavour, servers: Path) -> Software | None:
    return next(filter(None, (_unpacked_at(flavour, servers / name) for name in flavour.directories)), None)


def _unpacked_at(flavour: Flavour, prefix: Path) -> Software | None:
    """Return what is unpacked at ``prefix``, None when that is nothing that can be started.

    The directory gets its name only when it is complete, so its existence is the mark; the record inside saves asking
    mysqld for its version.
    """
    try:
        known = Software.from_json(json.loads((prefix / _RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # Paths in the record are absolute: a cache that was moved is fetched again.
    usable = Path(known.mysqld[-1]).is_relative_to(prefix) and Path(known.mysqld[-1]).exists()
    return replace(known, flavour=flavour) if usable and not flavour.unfit(known.version) else None


def _fetch(flavour: Flavour, servers: Path, narrator: Narrator) -> Software:
    release = apt_sources.os_release()
    archives = apt_sources.read()
    own = apt_sources.of_release(archives, release)
    ways: list[tuple[str, list[Archive]]] = []
    if own:
        ways.append((f"this machine's own suites ({release.get('PRETTY_NAME', 'unknown')})", own))
    ways.extend(
        (f"Debian's {archive.suites[0]} at {' '.join(archive.uris)}", [archive])
        for archive in flavour.archives(archives, release)
    )
    if not ways:
        raise NoPackages("packages cannot be fetched: this machine's apt sources name no archive of its own release")
    reasons = []
    for title, listed in ways:
        try:
            return _fetch_from(flavour, title, listed, servers, narrator)
        except NoPackages as error:
            narrator.say(f"No {flavour.title} in {title}: {error.message}")
            reasons.append(f"{title}: {error.message}")
    raise NoPackages("no archive gives it. " + "; ".join(reasons))


def _fetch_from(
    flavour: Flavour, title: str, archives: Sequence[Archive], servers: Path, narrator: Narrator
) -> Software:
    with tempfile.TemporaryDirectory(prefix="replfix-apt-") as made:
        apt = _PrivateApt(Path(made), archives)
        apt.update()
        packages, version = apt.server_packages(flavour)
        # By the version that the archives have: any other flavour that looks into it finds the series that it asks for.
        prefix = servers / flavour.directory_of(version)
        debs = apt.download(packages, narrator, title)
        if prefix.exists():  # complete once, damaged since
            shutil.rmtree(prefix)
        with directory_made_whole(prefix) as building:
            _unpack(debs, building, narrator)
            unpacked = describe(flavour, building, f"{packages[0]} from {title}")
            if flavour.directory_of(unpacked.version) != prefix.name:
                raise NoPackages(f"{packages[0]} {version} contains {unpacked.title}")
            final = Software.from_json(json.loads(json.dumps(unpacked.as_json()).replace(str(building), str(prefix))))
            write_whole(building / _RECORD, json.dumps(final.as_json(), indent=2))
    return final


class _PrivateApt:
    """apt with lists, cache, status and sources of its own under one directory."""

    def __init__(self, home: Path, archives: Sequence[Archive]) -> None:
        self._home = home
        for directory in ("lists/partial", "cache/archives/partial", "sources"):
            (home / directory).mkdir(parents=True)
        (home / "status").touch()
        (home / "sources" / "lab.sources").write_text("\n".join(a.text() for a in archives), encoding="utf-8")
        settings = {
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": str(home / "sources"),
            # The machine's own pins and default release are about what is installed on it.
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "APT::Default-Release": "",
            "Dir::State": str(home),
            "Dir::State::lists": str(home / "lists"),
            "Dir::State::status": str(home / "status"),
            "Dir::Cache": str(home / "cache"),
            "APT::Install-Recommends": "0",
            "APT::Install-Suggests": "0",
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
            "Acquire::http::Timeout": "20",
            "Acquire::https::Timeout": "20",
            "Debug::NoLocking": "1",
        }
        if os.geteuid() == 0:
            # As root apt drops to a user who cannot enter this directory.
            settings["APT::Sandbox::User"] = "root"
        self._options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]

    def _run(self, tool: str, *words: str) -> tuple[int, str]:
        return run([tool, *self._options, *words], env=_ENVIRONMENT)

    def update(self) -> None:
        """Fetch the lists.

        An archive that fails is fatal only when it leaves no list at all: with several of them (security, backports),
        one that is down should not stop the others.
        """
        code, text = self._run("apt-get", "-q", "update")
        if not any((self._home / "lists").glob("*_Packages*")):
            raise NoPackages(f"apt-get update gave no package list: {_errors(text) or f'exit code {code}'}")

    def server_packages(self, flavour: Flavour) -> tuple[list[str], str]:
        """Return the server's package and, where there is one, the client's of the same version; and that version.

        NoPackages when the archives have no server, or none that will do.
        """
        wanted = flavour.packages
        name = newest(wanted.server, self._run("apt-cache", "search", "--names-only", f"^{wanted.server}")[1])
        candidate = _VERSION.search(self._run("apt-cache", "show", "--no-all-versions", name)[1])
        version = candidate[1] if candidate else ""
        if why_not := flavour.unfit(f"{version}-{flavour.product}"):
            raise NoPackages(f"they carry {why_not}")
        client = name.replace(wanted.server, wanted.client)
        return ([name, client] if self._run("apt-cache", "show", client)[0] == 0 else [name]), version

    def download(self, packages: Sequence[str], narrator: Narrator, title: str) -> list[Path]:
        words = ["-q", "-y", "--download-only", "install", *packages]
        code, text = self._run("apt-get", "--print-uris", *words)
        uris = re.findall(r"^'\S+' \S+ (\d+)", text, re.M)
        if code != 0 or not uris:
            raise NoPackages(f"apt-get cannot resolve {packages[0]}: {_errors(text)}")
        megabytes = round(sum(map(int, uris)) / 1e6)
        narrator.say(f"Fetching {packages[0]} and its libraries from {title}: {len(uris)} packages, {megabytes} MB.")
        process = subprocess.Popen(  # noqa: S603 (no shell; every word is built here)
            ["apt-get", *self._options, *words],  # noqa: S607 (apt-get as the machine's PATH has it)
            env={**os.environ, **_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        said, done = [], 0
        with process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    said.append(line)
                    if _GET.match(line):
                        done = min(done + 1, len(uris))
                        narrator.progress("downloaded", done, len(uris))
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            raise NoPackages(f"apt-get could not download {packages[0]}: {_errors(''.join(said))}")
        return sorted((self._home / "cache" / "archives").glob("*.deb"))


def newest(package: str, found: str) -> str:
    """Return the server's package in the output of ``apt-cache search``.

    The one without a version in its name (Debian), else the one with the highest (Ubuntu). NoPackages when there is
    none.
    """
    names: list[tuple[str, str]] = re.findall(rf"^({re.escape(package)}(-[\d.]+)?) - ", found, re.M)
    if not names:
        raise NoPackages(f"they carry no {package}")
    return max(names, key=lambda n: (not n[1], [int(number) for number in re.findall(r"\d+", n[1])]))[0]


_ENVIRONMENT = {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}


def _errors(text: str) -> str:
    """Return apt's own message: its E: lines, else its warnings, else the end of its output."""
    lines = text.splitlines()
    for mark in ("E:", "Err:", "W:"):
        marked = [line for line in lines if line.startswith(mark)]
        if marked:
            return " ".join(marked[:3])[:600]
    return text.strip()[-300:]


def _unpack(debs: Sequence[Path], into: Path, narrator: Narrator) -> None:
    def unpack(deb: Path) -> None:
        code, text = run(["dpkg", "-x", str(deb), str(into)])
        if code != 0:
            raise NoPackages(f"dpkg -x {deb.name}: {text.strip()[-300:]}")

    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
        for done, _ in enumerate(pool.map(unpack, debs), start=1):
            narrator.progress("unpacked", done, len(debs))
    for unused in _UNUSED:
        shutil.rmtree(into / unused, ignore_errors=True)


def describe(flavour: Flavour, prefix: Path, origin: str) -> Software:
    """Return how to start the server that is unpacked under ``prefix``; NoPackages when a part of it is missing."""
    where = flavour.packages
    program = _one(prefix, *where.program)
    loader = _one(
        prefix, *(f"{lib}/ld-linux*.so*" for lib in ("lib64", "usr/lib64", "lib", "usr/lib", "lib/*", "usr/lib/*"))
    )
    messages = _one(prefix, where.messages).parent.parent
    charsets = _one(prefix, where.charsets).parent
    libraries = [str(d) for pattern in ("usr/lib/*-linux-*", "lib/*-linux-*") for d in sorted(prefix.glob(pattern))]
    plugins = sorted(prefix.glob(where.plugins))
    options = [f"--lc-messages-dir={messages}", f"--character-sets-dir={charsets}"]
    options += [f"--plugin-dir={plugins[0]}"] if plugins else []
    command = (str(loader), "--library-path", ":".join(libraries), str(program))
    return identify(flavour, origin, command, tuple(options), prefix / "usr/bin")


def _one(prefix: Path, *patterns: str) -> Path:
    for pattern in patterns:
        for path in sorted(prefix.glob(pattern)):
            if path.resolve().is_relative_to(prefix.resolve()):  # absolute links lead to the machine's own files
                return path
    raise NoPackages(f"the packages contain no {patterns[0]}")
