"""Commands that read, against servers that say what real ones said, with one answer bent.

Each seed is one case. What ends otherwise than in words, within its time, is told with its seed.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from replfix.cli.app import run
from replfix.lab import scenarios
from replfix.lab.flavours import speaking
from replfix.lab.lab_accounts import Account
from replfix.lab.topology import Lab
from replfix.mysql.binlog import stream
from replfix.mysql.connection import session as connection
from replfix.wire import guarded
from tests.integration.accounts.certificates import Certified
from tests.lying.bending import bend
from tests.lying.recording import Recorded, Recorder, Replayer, as_it_is

ACCOUNT = Account("fuzzed", "a-word-that-stands-nowhere-else")
COMMANDS = (
    ("diagnose", "it"),
    ("status", "it"),
    ("doctor", "it"),
    ("errant", "it"),
    ("resolve", "it", "--dry-run", "--yes"),
)
IN_WORDS = (0, 2, 3, 4, 5, 6)
PATIENCE = 1.0
LONGEST = 60.0


@dataclass(frozen=True)
class Conversation:
    """What both servers said to one command."""

    command: tuple[str, ...]
    code: int
    replica: Recorded
    source: Recorded


@dataclass
class Found:
    cases: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    longest: float = 0.0
    bad: list[str] = field(default_factory=list)

    def told(self) -> str:
        codes = ", ".join(f"{code}: {count}" for code, count in sorted(self.codes.items()))
        return f"{self.cases} cases, exit codes {codes}; longest {self.longest:.1f} s; {len(self.bad)} bad"


def config_for(directory: Path, replica_port: int, source_port: int, ssl_mode: str = "DISABLED") -> Path:
    options = directory / "my.cnf"
    options.touch(0o600)
    options.write_text(f"[client]\nuser = {ACCOUNT.name}\npassword = {ACCOUNT.password}\n")
    config = directory / "replfix.toml"
    config.write_text(
        f'[defaults]\ndefaults_file = "{options}"\nssl_mode = "{ssl_mode}"\n'
        f'[audit]\nurl = "sqlite:///{directory / "audit.db"}"\n'
        f'[replicas.it]\nhost = "127.0.0.1"\nport = {replica_port}\nsource = "its"\nget_server_public_key = true\n'
        f'[sources.its]\nhost = "127.0.0.1"\nport = {source_port}\nget_server_public_key = true\n'
    )
    return config


def staged(lab: Lab) -> Lab:
    """With the account, and stopped on a conflict."""
    scenarios.find("duplicate-primary").stage(lab)
    for server in (lab.source, lab.replica):
        with server.session() as session, speaking(session).writable(session):
            session.execute("SET sql_log_bin = 0")
            for statement in ACCOUNT.statements(speaking(session).replfix_privileges):
                session.execute(statement)
    return lab


def recorded(lab: Lab, command: tuple[str, ...], directory: Path) -> Conversation:
    """What both servers say to the command; they have the account and are stopped on a conflict, and stay up: relay logs are read."""
    for _ in range(2):  # the first signs in in full
        with Recorder(lab.replica.port) as replica, Recorder(lab.source.port) as source:
            code, said = run_in_process(command, config_for(directory, replica.port, source.port))
        assert code in IN_WORDS, said
    return Conversation(command, code, replica.recorded, source.recorded)


def run_in_process(command: tuple[str, ...], config: Path) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([*command, "--config", str(config), "--json", "--verbose"])
    return code, out.getvalue() + err.getvalue()


@contextlib.contextmanager
def impatient(seconds: float = PATIENCE) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "READ_SECONDS", seconds)
        patch.setattr("replfix.mysql.write.repair.WORK_SECONDS", seconds)
        patch.setattr(guarded, "CONNECT_SECONDS", seconds)
        patch.setattr(stream, "SEARCH_SECONDS", seconds)
        yield


def case(
    conversation: Conversation, seed: int, directory: Path, found: Found, certified: Certified | None = None
) -> None:
    """One command; with ``certified`` the lies come over TLS, by somebody in between whose certificate nobody verifies."""
    on_replica = seed % 2 == 0
    answers = (conversation.replica if on_replica else conversation.source).count
    words, bent = bend(seed, answers)
    replica_bend, source_bend = (bent, as_it_is) if on_replica else (as_it_is, bent)
    began = time.monotonic()
    with (
        Replayer(conversation.replica, replica_bend, certified) as replica,
        Replayer(conversation.source, source_bend, certified) as source,
    ):
        config = config_for(directory, replica.port, source.port, "REQUIRED" if certified else "DISABLED")
        code, said = run_in_process(conversation.command, config)
        received = replica.received + source.received
    took = time.monotonic() - began
    found.cases += 1
    found.codes[code] += 1
    found.longest = max(found.longest, took)
    wrong = []
    if code not in IN_WORDS:
        wrong.append(f"exit code {code}")
    # Inside TLS caching_sha2_password may ask for the password itself: the clients give it, too.
    if ACCOUNT.password in said or (ACCOUNT.password.encode() in received and not certified):
        wrong.append("the password")
    if took > LONGEST:
        wrong.append(f"{took:.0f} s")
    if not said.strip():
        wrong.append("no words")
    if wrong:
        found.bad.append(
            f"{' '.join(conversation.command)}, seed {seed}{', TLS' if certified else ''}: {', '.join(wrong)}: {words} of the "
            f"{'replica' if on_replica else 'source'}; {said[-3000:]}"
        )


def conversations(lab: Lab, directory: Path) -> tuple[Conversation, ...]:
    return tuple(recorded(lab, command, directory) for command in COMMANDS)
