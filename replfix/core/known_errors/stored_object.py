"""A routine, trigger, event, view or other object is on one server only."""

from __future__ import annotations

from replfix.core import drift, sql
from replfix.core.account_copy import copied_from_source
from replfix.core.by_hand import by_hand
from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.object_statement import ObjectStatement, accounts_in, missing_routine, object_of
from replfix.core.remedy import SOURCE, LeadsTo, Loss, Remedy
from replfix.core.table import TableName

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
    replfix="Shows the statement, names the object, and says what lets the statement be applied, or that it has nothing left to do.",
    human="Compare SHOW CREATE of the object on both servers, and bring the replica's to where the statement expects it.",
)

_EXISTS = (1304, 1359, 1537)
_MISSING = (1305, 1360, 1539, 1347, 4031, 4091, 4092)
_NO_DEFINER = 1449
_NOT_A_VIEW = 1347
_MOST = 64  # characters of a name


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    statement = drift.the_statement(evidence)
    errno, message = evidence.error.errno, evidence.error.message
    if errno == _NO_DEFINER and (definers := accounts_in("", message)):
        return (*statement, copied_from_source(evidence, tuple(sql.account(*definer) for definer in definers)))
    about = object_of(evidence.statement.schema, evidence.statement.text) if evidence.statement else None
    if about is None:
        routine = missing_routine(message)
        return (*statement, _copy(*routine) if routine else Remedy(FAMILY.human))
    if errno in _EXISTS and about.verb == "CREATE":
        return (*statement, _make_room(evidence, about))
    if errno == _NOT_A_VIEW and about.kind == "VIEW":
        return (*statement, _table_in_its_place(evidence, about.name))
    if errno in _MISSING and about.verb == "DROP" and about.alone:
        return (
            *statement,
            drift.nothing_left(evidence, f"The replica has no {about.kind.lower()} {about.name} to drop."),
        )
    if errno in _MISSING and (routine := missing_routine(message)) is not None:
        return (*statement, _copy(*routine))
    if errno in _MISSING:
        return (*statement, _copy(about.kind, about.name))
    return (*statement, Remedy(FAMILY.human))


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
        f"The replica has no {kind.lower()} {name}. This shows the source's; run it on the replica (in a session with SET sql_log_bin = 0 "
        "and super_read_only off), then START REPLICA. Where the source has none now either, a later statement dropped it: make one that "
        "does nothing under that name.",
        (sql.show_create(kind, name),),
        LeadsTo.NOTHING_CHANGED,
        SOURCE,
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
