"""Looking at two servers with plain SQL: a judge that knows nothing of how replfix works."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.gtid import GtidSet
from replfix.lab.replication import channel_state
from replfix.lab.state import Server
from replfix.mysql.connection import Session

_OWN = ("mysql", "sys", "information_schema", "performance_schema")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a repair or a rehearsal may not leave changed, and what has to be equal on both sides."""

    checksums: dict[str, str]  # CHECKSUM TABLE of every user table, by schema.table
    executed: GtidSet
    variables: dict[str, str]  # every global variable but those that count by themselves


_MOVING = ("gtid_executed", "gtid_purged", "timestamp", "rand_seed1", "rand_seed2", "pseudo_thread_id")


def snapshot(server: Server) -> Snapshot:
    with server.session() as session:
        return Snapshot(
            checksums(session),
            GtidSet.parse(str(session.scalar("SELECT @@global.gtid_executed"))),
            {
                row["name"]: row["value"]
                for row in session.query(
                    "SELECT VARIABLE_NAME AS name, VARIABLE_VALUE AS value FROM performance_schema.global_variables"
                )
                if row["name"] not in _MOVING
            },
        )


def checksums(session: Session) -> dict[str, str]:
    """CHECKSUM TABLE of every table that is not the server's own."""
    tables = session.query(
        "SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t FROM information_schema.TABLES "
        "WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN %s ORDER BY 1, 2",
        (_OWN,),
    )
    found: dict[str, str] = {}
    for table in tables:
        quoted = ".".join("`" + name.replace("`", "``") + "`" for name in (table["s"], table["t"]))
        row = session.query(f"CHECKSUM TABLE {quoted}")[0]
        found[f"{table['s']}.{table['t']}"] = str(row["Checksum"])
    return found


@dataclass(frozen=True, slots=True)
class Proven:
    """One thing that was looked at: what, whether it holds, and what was seen."""

    what: str
    holds: bool
    seen: str


def prove(source: Server, replica: Server, before: Snapshot) -> tuple[Proven, ...]:
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
            or f"{len(before.variables)} variables compared, super_read_only={after.variables.get('super_read_only')}",
        ),
    )
