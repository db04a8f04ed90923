"""Looking at two servers with plain SQL: a judge that knows nothing of how replfix works."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.replication.gtid import GtidSet
from replfix.lab.flavours import speaking
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import SYSTEM_SCHEMAS, channel_state
from replfix.mysql.connection.session import Session


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a repair or a rehearsal may not leave changed, and what has to be equal on both sides."""

    checksums: dict[str, str]  # CHECKSUM TABLE of every user table, by schema.table
    executed: GtidSet
    variables: dict[str, str]  # every global variable but those that count by themselves


def snapshot(server: LabServer) -> Snapshot:
    """Read the server's rows, GTIDs and variables, to be compared later."""
    with server.session() as session:
        flavour = speaking(session)
        return Snapshot(
            checksums(session),
            flavour.executed(session),
            {name: value for name, value in flavour.variables(session).items() if name not in flavour.counting},
        )


def checksums(session: Session) -> dict[str, str]:
    """CHECKSUM TABLE of every table that is not the server's own."""
    tables = session.query(
        "SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t FROM information_schema.TABLES "
        "WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN %s ORDER BY 1, 2",
        (SYSTEM_SCHEMAS,),
    )
    found: dict[str, str] = {}
    for table in tables:
        quoted = ".".join("`" + name.replace("`", "``") + "`" for name in (table["s"], table["t"]))
        row = session.query(f"CHECKSUM TABLE {quoted}")[0]
        found[f"{table['s']}.{table['t']}"] = str(row["Checksum"])
    return found


@dataclass(frozen=True, slots=True)
class Proven:
    """One check: what, whether it is so, and what was seen."""

    what: str
    holds: bool
    seen: str


def prove(source: LabServer, replica: LabServer, before: Snapshot) -> tuple[Proven, ...]:
    """After a resolution: equal tables, a running channel, no new errant transaction, variables as they were."""
    after, theirs = snapshot(replica), snapshot(source)
    differing = sorted(t for t in theirs.checksums if after.checksums.get(t) != theirs.checksums[t])
    with replica.session() as session:
        state = channel_state(session)
    running = state is not None and state.receiver_running and state.applier_running
    new_errant = (after.executed - theirs.executed) - (before.executed - theirs.executed)
    changed = sorted(n for n in before.variables if after.variables.get(n) != before.variables[n])
    return (
        Proven(
            "CHECKSUM TABLE is equal on both servers",
            not differing,
            f"{len(theirs.checksums)} tables compared" + (f", different: {', '.join(differing)}" if differing else ""),
        ),
        Proven("the channel runs", running, "receiver and applier run" if running else "it is stopped"),
        Proven(
            "no new errant transaction",
            not new_errant,
            str(new_errant) or "the replica has nothing that the source lacks beyond what was there before",
        ),
        Proven(
            "settings are as before",
            not changed,
            ", ".join(f"{n}={after.variables.get(n)}" for n in changed)
            or f"{len(before.variables)} variables compared, {_protection(after)}",
        ),
    )


def _protection(seen: Snapshot) -> str:
    name = "super_read_only" if "super_read_only" in seen.variables else "read_only"
    return f"{name}={seen.variables.get(name)}"
