"""A channel that this run has reserved. Its session logs nothing (sql_log_bin=0)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from replfix.core.binlog.row_event import Transaction
    from replfix.core.plan.left_changed import SettingNow
    from replfix.core.plan.plan import Plan, SourceWrite, Step
    from replfix.core.replication.applier_error import ApplierError
    from replfix.core.rows.lookup import Answers, Lookup
    from replfix.core.schema.table import Table, TableName


class Repair(Protocol):
    """A channel that this run has reserved. Its session logs nothing (sql_log_bin=0)."""

    def alone(self) -> AbstractContextManager[None]:
        """Keep every other replfix from changing settings of this server while inside, on any channel. Busy otherwise."""
        ...

    def settings(self) -> dict[str, str]:
        """Return the global variables that have to change before rows can be written, as they were when ``alone`` began."""
        ...

    def server_time(self) -> datetime:
        """Return the time when ``alone`` began, by the server's clock, in UTC."""
        ...

    def setting(self, name: str) -> SettingNow | None:
        """Return one of those variables, and when it was last set; None for a name that is none of them."""
        ...

    def writable(self, settings: Mapping[str, str]) -> AbstractContextManager[None]:
        """Change those settings; put them back on the way out, whatever happens. NotVerified when that fails."""
        ...

    def put_back(self, settings: Mapping[str, str]) -> tuple[str, ...]:
        """Set those variables to those values where they differ, after an interrupted run; return those that were set.

        Only variables that a run may have changed, and only back to protection: anything else in a record is not done.
        """
        ...

    def rehearse(self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table]) -> None:
        """Carry out the plan and the transaction's own events, look at the rows, roll everything back.

        RehearsalFailed with the server's words, Stale when a row is not what the plan says.
        """
        ...

    def rehearse_backlog(self) -> AbstractContextManager[BacklogRehearsal]:
        """Return one transaction on the replica for a whole backlog; it is rolled back on the way out, whatever happens."""
        ...

    def commit_transaction(
        self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table], guard: Callable[[], None]
    ) -> None:
        """Commit the transaction's own events under its GTID, logged and in one transaction, in the plan's apply mode.

        ``guard`` is called last before COMMIT. Raises as ``apply``.
        """
        ...

    def rehearse_leaving_out(self, plan: Plan) -> None:
        """Check, for a plan that leaves its transaction out, only whether the account may do that.

        RehearsalFailed, PrivilegeError.
        """
        ...

    def commit_empty(self, plan: Plan, guard: Callable[[], None]) -> None:
        """Commit an empty transaction under the plan's GTID; ``guard`` is called last before COMMIT. Raises as ``apply``."""
        ...

    def check_skip_counter(self) -> None:
        """Stale when it is not 0: whatever is started next would leave something out."""
        ...

    def skip_counter(self) -> str:
        """Return the name of the variable that makes the channel's applier skip a transaction."""
        ...

    def set_skip_counter(self) -> None:
        """Set it to 1; ``put_back`` sets it to 0. Stale as ``check_skip_counter``, NotDone or PrivilegeError when rejected."""
        ...

    def apply(
        self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table], guard: Callable[[], None]
    ) -> None:
        """Execute the plan in one transaction: lock, compare and count the rows, call ``guard`` last before COMMIT.

        Whatever is raised before COMMIT was sent: rolled back, nothing changed. NotVerified: the connection was lost
        while the server committed, so the outcome is unknown.
        """
        ...


class BacklogRehearsal(Protocol):
    """One transaction in which a backlog is executed, transaction by transaction; nothing of it is ever committed.

    Busy where the locks of other sessions are in the way: the server may have rolled back all of it then.
    """

    def fits(self, transaction: Transaction) -> bool:
        """Return whether its events have the form of those of the first that was asked for: only such can be executed."""
        ...

    def run(self, transactions: Sequence[Transaction]) -> ApplierError | None:
        """Execute the events of those transactions, as the applier would.

        On an error none of them is executed, and the error is returned: the server's own; with number 0 where the
        server was not asked, because it takes no statement of that size.
        """
        ...

    def rehearse(self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table]) -> None:
        """Execute a plan and its transaction, with all that ``Repair.rehearse`` checks, and keep both for what follows.

        RehearsalFailed or Stale: neither is executed.
        """
        ...

    def find(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        """Do as ``Rows.find``, with the rows as they are in the rehearsal."""
        ...

    def count(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> dict[Lookup, int]:
        """Do as ``Rows.count``, with the rows as they are in the rehearsal."""
        ...


class Writing(Protocol):
    """Carries out the steps of a plan on its source, all of them or none, in one logged transaction."""

    def rehearse(self, part: SourceWrite, tables: Mapping[TableName, Table]) -> None:
        """Execute the steps, read the rows, roll everything back.

        RehearsalFailed with the server's message, Stale when a row is not as in the plan, PrivilegeError with the
        GRANT.
        """
        ...

    def write(
        self, part: SourceWrite, tables: Mapping[TableName, Table], tell: Callable[[tuple[Step, ...]], None]
    ) -> None:
        """Execute the steps, read the rows, and COMMIT.

        ``tell`` is called last before COMMIT, with the steps as executed: keys that the source generated are in their
        rows. Raises as ``Repair.apply``.
        """
        ...
