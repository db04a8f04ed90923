"""One connection and one statement at a time, with one packet bent: thousands of cases a minute.

What a command makes of the values is not looked at here (``fuzz.py`` does that): only that the wire itself gives values, or
says in words that it cannot.
"""

from __future__ import annotations

import random
import time
from contextlib import closing
from dataclasses import dataclass, field

from replfix.core import sql
from replfix.core.connection.endpoint import Endpoint, Secret
from replfix.core.connection.sign_in import SignIn
from replfix.core.connection.tls import Tls, TlsMode
from replfix.errors import ReplfixError
from replfix.mysql.binlog.events.checked_events import events
from replfix.mysql.binlog.stream import Request, raw_events
from replfix.mysql.connection.session import Session
from tests.lying.bending import bend
from tests.lying.fuzz import ACCOUNT, Conversation
from tests.lying.recording import Recorded, Replayer

CLOSE_PATIENCE = 0.1
"""Seconds for an answer: the server is on the loopback, and has it ready."""
LONGEST = 20.0


@dataclass
class Outcomes:
    cases: int = 0
    values: int = 0
    words: int = 0
    longest: float = 0.0
    bad: list[str] = field(default_factory=list)

    def told(self) -> str:
        return (
            f"{self.cases} answers: {self.values} read, {self.words} refused in words; longest {self.longest:.1f} s; "
            f"{len(self.bad)} bad"
        )


def close_cases(conversation: Conversation, seeds: range, outcomes: Outcomes) -> None:
    for recorded in (conversation.replica, conversation.source):
        with Replayer(recorded) as replayer:
            for seed in seeds[recorded is conversation.source :: 2]:
                close_case(replayer, recorded, seed, outcomes)


def close_case(replayer: Replayer, recorded: Recorded, seed: int, outcomes: Outcomes) -> None:
    """One answer of one connection, bent: of the greeting, of what sets the session up, or of one statement or dump."""
    rng = random.Random(f"close {seed}")
    asked = rng.choice(recorded.asked)
    words, bent = bend(seed, len(recorded.greeting) + 4)
    replayer.begin(bent)
    began = time.monotonic()
    try:
        ask(replayer.port, asked)
        outcomes.values += 1
    except ReplfixError:
        outcomes.words += 1
    except Exception as error:
        outcomes.bad.append(f"seed {seed}: {words}, {asked[:80]!r}: {type(error).__name__}: {error}")
    took = time.monotonic() - began
    outcomes.cases += 1
    outcomes.longest = max(outcomes.longest, took)
    if took > LONGEST or ACCOUNT.password.encode() in replayer.received:
        outcomes.bad.append(f"seed {seed}: {words}, {asked[:80]!r}: {took:.1f} s, or the password")
    replayer.received = b""


def ask(port: int, asked: str) -> int:
    """How many rows, or events, came in answer."""
    endpoint = Endpoint(
        "127.0.0.1", port, ACCOUNT.name, Secret(ACCOUNT.password), tls=Tls(TlsMode.DISABLED),
        sign_in=SignIn(get_server_public_key=True),
    )  # fmt: skip
    with closing(Session(endpoint, values=sql.SESSION_VALUES, reads=True)) as session:  # as a diagnosis has it
        if asked.startswith("dump"):
            return sum(1 for _ in events(raw_events(session, Request(int(asked.split()[1]), bytes(10)))))
        return len(session.query_lossy(asked) if asked.startswith("SHOW RELAYLOG") else session.query(asked))
