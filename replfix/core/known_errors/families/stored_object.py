"""A routine, trigger, event, view or other object is on one server only."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.binlog.object_statement import MISSING, ObjectStatement, needed, object_of
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.account_copy import copied_from_source, made_as_on_source
from replfix.core.remedies.by_hand import by_hand
from replfix.core.remedies.remedy import SOURCE, LeadsTo, Loss, Remedy
from replfix.core.schema.table import TableName

FAMILY = Family(
    page="stored-object",
    kind=Kind.SCHEMA_DRIFT,
    thread=Thread.APPLIER,
    errors={
        1125: "ER_UDF_EXISTS",
        1304: "ER_SP_ALREADY_EXISTS",
        1305: "ER_SP_DOES_NOT_EXIST",
        1318: "ER_SP_WRONG_NO_OF_ARGS",
        1347: "ER_WRONG_OBJECT",
        1356: "ER_VIEW_INVALID",
        1359: "ER_TRG_ALREADY_EXISTS",
        1360: "ER_TRG_DOES_NOT_EXIST",
        1435: "ER_TRG_IN_WRONG_SCHEMA",
        1449: "ER_NO_SUCH_USER",
        1476: "ER_FOREIGN_SERVER_EXISTS",
        1477: "ER_FOREIGN_SERVER_DOESNT_EXIST",
        1537: "ER_EVENT_ALREADY_EXISTS",
        1539: "ER_EVENT_DOES_NOT_EXIST",
        1813: "ER_TABLESPACE_EXISTS",
        3011: "ER_REFERENCED_TRG_DOES_NOT_EXIST",
        3510: "ER_TABLESPACE_MISSING_WITH_NAME",
        3650: "ER_RESOURCE_GROUP_EXISTS",
        3651: "ER_RESOURCE_GROUP_NOT_EXISTS",
        3712: "ER_SRS_ID_ALREADY_EXISTS",
    },
    mariadb={
        1965: "ER_IT_IS_A_VIEW",
        4031: "ER_REFERENCED_TRG_DOES_NOT_EXIST",
        4089: "ER_NOT_SEQUENCE",
        4090: "ER_NOT_SEQUENCE2",
        4091: "ER_UNKNOWN_SEQUENCES",
        4092: "ER_UNKNOWN_VIEW",
    },
    means=(
        "The statement creates a routine, trigger, event or view that the replica has already, or uses or drops one that it does "
        "not have."
    ),
    replfix=(
        "Shows the statement, names the object, and prints what makes it as the source has it, definer included, where nothing in the "
        "backlog changes it; or reports that the statement has nothing left to do."
    ),
    human="Compare SHOW CREATE of the object on both servers, and make the replica's what the statement expects.",
)

_EXISTS = (1304, 1359, 1537)
_NOT_A_VIEW = 1347
_MOST = 64  # characters of a name


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    statement = drift.the_statement(evidence)
    errno = evidence.error.errno
    if evidence.definers:
        return (*statement, _definers(evidence))
    about = object_of(evidence.statement.schema, evidence.statement.text) if evidence.statement else None
    if about is not None and errno in _EXISTS and about.verb == "CREATE":
        return (*statement, _make_room(evidence, about))
    if about is not None and errno == _NOT_A_VIEW and about.kind == "VIEW":
        return (*statement, _table_in_its_place(evidence, about.name))
    wanted = needed(errno, evidence.error.message, about)
    if wanted is not None:
        return (*statement, _made_as_on_source(evidence) or _copy(*wanted))
    if about is not None and errno in MISSING:
        return (
            *statement,
            drift.nothing_left(evidence, f"The replica has no {about.kind.lower()} {about.name} to drop."),
        )
    return (*statement, Remedy(FAMILY.human))


def _definers(evidence: Evidence) -> Remedy:
    names = tuple(account.name for account in evidence.definers)
    if any(account.grants is None for account in evidence.definers):
        return copied_from_source(evidence, names)
    return Remedy(
        f"The replica has no {', '.join(names)}. {_LOCKED}",
        by_hand(evidence, *(s for account in evidence.definers for s in made_as_on_source(evidence, account))),
        LeadsTo.NEXT_ROW,
    )


_LOCKED = (
    "This makes it with the privileges that it has on the source now, locked and without a password: for what it defines, that is enough. "
    "Where somebody logs in with it, give it what SHOW CREATE USER shows on the source."
)


def _made_as_on_source(evidence: Evidence) -> Remedy | None:
    missing = evidence.missing
    if missing is None or missing.later is None:
        return None
    what = f"{missing.kind.lower()} {missing.name}"
    if not missing.script or missing.later:
        changed = f"Later statements of the backlog change it: {'; '.join(missing.later[:3])}." if missing.later else ""
        now = "" if missing.script else "The source does not have it now either, or does not show it to this account."
        return Remedy(
            f"The replica has no {what}. {changed or now} How it was when the source ran this statement is in the source's binlog, or in a "
            "backup of that time: make it like that on the replica, not logged, and start the channel."
        )
    definer = missing.definer
    if definer is not None and definer.grants is None:
        return None
    also = (
        f" It is defined by {definer.name}, which the replica does not have either. {_LOCKED}"
        if definer is not None
        else ""
    )
    accounts = () if definer is None else made_as_on_source(evidence, definer)
    return Remedy(
        f"The replica has no {what}. This makes it as the source has it; nothing in the backlog changes it.{also}",
        by_hand(evidence, *accounts, *missing.script),
        LeadsTo.NEXT_ROW,
    )


def _make_room(evidence: Evidence, about: ObjectStatement) -> Remedy:
    kind = about.kind.lower()
    return Remedy(
        f"The replica has a {kind} {about.name} already. When the source ran this statement it had none. This shows the replica's, drops "
        "it, and lets the replica run the statement. Keep what is shown.",
        by_hand(evidence, sql.show_create(about.kind, about.name), sql.drop_object(about.kind, about.name)),
        LeadsTo.NEXT_TRANSACTION,
        loses=(Loss(1, kind, str(about.name)),),
    )


def _copy(kind: str, name: TableName) -> Remedy:
    return Remedy(
        f"The replica has no {kind.lower()} {name}. This shows the source's; run it on the replica (in a session with "
        f"USE {sql.identifier(name.schema)}, SET sql_log_bin = 0 and super_read_only off), then START REPLICA. Where the source has none now either, a later statement dropped it: make one that "
        "does nothing under that name.",
        (sql.show_create(kind, name),),
        LeadsTo.NOTHING_CHANGED,
        where=SOURCE,
    )


def _table_in_its_place(evidence: Evidence, name: TableName) -> Remedy:
    aside = TableName(name.schema, f"{name.name[: _MOST - len(_ASIDE)]}{_ASIDE}")
    return Remedy(
        f"On the replica {name} is a table, where the source had a view. This keeps the table as {aside}, puts a view in its place, and "
        "lets the replica run the statement.",
        by_hand(evidence, sql.rename_table(name, aside), f"CREATE VIEW {sql.table_name(name)} AS SELECT 1"),
        LeadsTo.NEXT_TRANSACTION,
    )


_ASIDE = "_of_replica"
