"""What SHOW GRANTS says, and what is missing."""

from __future__ import annotations

import pytest

from replfix.core.connection.privileges import NEEDS, Granted, Need, Role, granting, missing, parse_grants, privilege_in


def granted(*lines: str) -> Granted:
    return parse_grants("dba@%", lines)


def test_static_and_dynamic_privileges_come_on_lines_of_their_own() -> None:
    found = granted(
        "GRANT SELECT, INSERT, REPLICATION CLIENT ON *.* TO `dba`@`%` WITH GRANT OPTION",
        "GRANT BINLOG_ADMIN,CONNECTION_ADMIN ON *.* TO `dba`@`%`",
        "GRANT `role`@`%` TO `dba`@`%`",
        "GRANT PROXY ON ``@`` TO `dba`@`%`",
    )
    assert found.account == "dba@%"
    assert found.everywhere == {"SELECT", "INSERT", "REPLICATION CLIENT", "BINLOG_ADMIN", "CONNECTION_ADMIN"}
    assert found.by_schema == {}


def test_grants_on_a_schema_and_on_a_table() -> None:
    found = granted(
        "GRANT USAGE ON *.* TO `dba`@`%`",
        "GRANT SELECT ON `performance_schema`.* TO `dba`@`%`",
        "GRANT DELETE ON `shop`.`orders` TO `dba`@`%`",
    )
    assert found.by_schema == {"performance_schema": frozenset({"SELECT"})}
    actions = {need.action for need in missing(found, Role.REPLICA)}
    assert "read the workers' errors" not in actions
    assert "read rows, and foreign keys of other schemas" in actions
    assert "lock rows while they are compared (SELECT … FOR UPDATE)" in actions


def test_all_privileges_cover_the_static_ones() -> None:
    assert missing(granted("GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost`"), Role.REPLICA) == ()
    assert missing(granted("GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost`"), Role.SOURCE) == ()


def test_a_partial_revoke_makes_a_privilege_count_as_missing() -> None:
    found = granted("GRANT SELECT, TRIGGER ON *.* TO `d`@`%`", "REVOKE SELECT ON `mysql`.* FROM `d`@`%`")
    assert found.everywhere == {"TRIGGER"}
    assert found.blind_spots == ("SELECT",)


def test_nothing_granted() -> None:
    nothing = granted("GRANT USAGE ON *.* TO `d`@`%`")
    assert missing(nothing, Role.REPLICA) + missing(nothing, Role.SOURCE) == NEEDS
    assert nothing.blind_spots == ("SELECT", "TRIGGER")


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: f"{need.role} {need.action}")
def test_each_need_is_met_by_any_of_its_names(need: Need) -> None:

    for name in need.names:
        assert granted(f"GRANT {name} ON {need.scope} TO `d`@`%`").has(need)


@pytest.mark.parametrize("role", Role)
def test_the_names_to_grant_are_enough_and_each_of_them_is_needed(role: Role) -> None:
    names = sorted({need.names[0] for need in NEEDS if need.role is role})
    assert missing(granted(f"GRANT {', '.join(names)} ON *.* TO `d`@`%`"), role) == ()
    for name in names:
        fewer = [other for other in names if other != name]
        lacking = missing(granted(f"GRANT {', '.join(fewer)} ON *.* TO `d`@`%`"), role)
        # SYSTEM_VARIABLES_ADMIN covers what SESSION_VARIABLES_ADMIN is for, REPLICATION_APPLIER what BINLOG_ADMIN is for.
        assert lacking or name in ("SESSION_VARIABLES_ADMIN", "BINLOG_ADMIN")
        assert all(need.names[0] == name for need in lacking)


def test_everything_that_is_missing_is_given_at_once_and_not_logged() -> None:
    needs = (
        Need(Role.REPLICA, "a", ("SELECT",)),
        Need(Role.REPLICA, "b", ("SELECT",), "performance_schema.*"),
        Need(Role.REPLICA, "c", ("REPLICATION CLIENT", "SUPER")),
    )
    assert granting("o`dd@10.0.%", needs, super_read_only=True) == (
        "SET SESSION sql_log_bin = 0",
        "SET GLOBAL super_read_only = OFF",
        "GRANT SELECT, REPLICATION CLIENT ON *.* TO `o``dd`@`10.0.%`",
        "GRANT SELECT ON performance_schema.* TO `o``dd`@`10.0.%`",
        "SET GLOBAL super_read_only = ON",
    )


@pytest.mark.parametrize(
    ("message", "privilege"),
    [
        ("Access denied; you need (at least one of) the SUPER privilege(s) for this operation", "SUPER"),
        ("Access denied; you need (at least one of) the SUPER or REPLICATION_SLAVE_ADMIN privilege(s) for this", "REPLICATION_SLAVE_ADMIN"),
        ("Access denied; you need (at least one of) the SUPER, BINLOG ADMIN privilege(s) for this operation", "BINLOG ADMIN"),
        ("SELECT command denied to user 'u'@'h' for table 't'", "SELECT"),
        ("Access denied for user 'u'@'h' to database 'd'", ""),
    ],
)  # fmt: skip
def test_the_privilege_that_a_refusal_asks_for(message: str, privilege: str) -> None:
    assert privilege_in(message) == privilege
