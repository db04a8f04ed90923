"""The only place that builds SQL text with values and names in it.

Texts are meant for sessions that ``SESSION_SETTINGS`` prepared: sql_mode says how strings are read and what may be
stored, time_zone how TIMESTAMP is. Identifiers are quoted with backquotes, strings as ``_utf8mb4'…'`` or, when they
hold anything unprintable, in hexadecimal: what is shown can be pasted, and nothing in it can speak to a terminal.
"""

from __future__ import annotations

from replfix.core.sql.accounts import (
    account,
    accounts_named,
    create_locked_account,
    create_role,
    drop_account,
    drop_role,
    grant,
    show_account,
)
from replfix.core.sql.counters import (
    advance_counter,
    highest,
    highest_of_each,
    numbers_of_class,
    remainders,
    widen_counter,
)
from replfix.core.sql.definitions import (
    alter_table,
    compare_bytes,
    copy_table,
    drop_table,
    hold_definition,
    key_over_whole_columns,
    not_unique,
    placeholder_table,
    rename_table,
    show_create_schema,
    show_create_table,
)
from replfix.core.sql.generated import (
    work_out,
)
from replfix.core.sql.gtids import (
    BINLOG_STATE,
    Numbered,
    delete_gtid_positions,
    empty_transaction,
    empty_transactions,
    executed_everywhere,
    nothing_numbered,
    still_in_binlog,
)
from replfix.core.sql.literals import (
    literal,
)
from replfix.core.sql.names import (
    identifier,
    string,
    table_name,
)
from replfix.core.sql.objects import (
    check_table,
    drop_foreign_key,
    drop_object,
    rebuild_table,
    repair_table,
    rows_with_null,
    show_create,
)
from replfix.core.sql.postgresql import (
    postgresql_constraint,
    postgresql_sequence,
)
from replfix.core.sql.replication import (
    SKIP_ONE,
    binlog_statement,
    by_hand,
    call,
    change_applier,
    change_source,
    channel_settings,
    convert_types,
    fetch_again,
    go_on_from,
    skip_by_hand,
    start_receiver,
    start_replica,
    stop_replica,
)
from replfix.core.sql.rows import (
    LAST_INSERTED,
    NOTHING_TAKEN,
    count_rows,
    count_up_to,
    delete_last_inserted,
    delete_row,
    duplicate_values,
    find_shown,
    insert_row,
    keep_key,
    repeated_values,
    select_alike,
    select_any,
    select_list,
    select_row,
    select_rows,
    select_shown,
    update_row,
)
from replfix.core.sql.server import (
    find_plugin,
    forget_persisted,
    global_variable,
    hold_writes,
    open_writes,
    persist_number,
    piece_of_file,
    sessions_before_this_one,
    sessions_with_other_values,
    set_global_number,
    size_of_file,
)
from replfix.core.sql.session import (
    CHECKED_SESSION,
    IDLE_SECONDS,
    LOCK_SECONDS,
    LOGGED_SESSION,
    NOT_LOGGED_SESSION,
    ROWS_LOGGED_SESSION,
    SESSION_SETTINGS,
    SOURCE_UNDO_SETTINGS,
    STRICT,
    UNDO_SETTINGS,
    WITH_FOREIGN_KEYS,
    WITHOUT_FOREIGN_KEYS,
    limits,
    set_gtid_next,
    set_session_number,
)

__all__ = [
    "BINLOG_STATE", "CHECKED_SESSION", "IDLE_SECONDS", "LAST_INSERTED", "LOCK_SECONDS", "LOGGED_SESSION",
    "NOTHING_TAKEN", "NOT_LOGGED_SESSION", "ROWS_LOGGED_SESSION", "SESSION_SETTINGS", "SKIP_ONE",
    "SOURCE_UNDO_SETTINGS", "STRICT", "UNDO_SETTINGS", "WITHOUT_FOREIGN_KEYS", "WITH_FOREIGN_KEYS", "Numbered",
    "account", "accounts_named", "advance_counter", "alter_table", "binlog_statement", "by_hand", "call",
    "change_applier", "change_source", "channel_settings", "check_table", "compare_bytes", "convert_types",
    "copy_table", "count_rows", "count_up_to", "create_locked_account", "create_role", "delete_gtid_positions",
    "delete_last_inserted", "delete_row", "drop_account", "drop_foreign_key", "drop_object", "drop_role",
    "drop_table", "duplicate_values", "empty_transaction", "empty_transactions", "executed_everywhere",
    "fetch_again", "find_plugin", "find_shown", "forget_persisted", "global_variable", "go_on_from", "grant",
    "highest", "highest_of_each", "hold_definition", "hold_writes", "identifier", "insert_row", "keep_key",
    "key_over_whole_columns", "limits", "literal", "not_unique", "nothing_numbered", "numbers_of_class",
    "open_writes", "persist_number", "piece_of_file", "placeholder_table", "postgresql_constraint",
    "postgresql_sequence", "rebuild_table", "remainders", "rename_table", "repair_table", "repeated_values",
    "rows_with_null", "select_alike", "select_any", "select_list", "select_row", "select_rows", "select_shown",
    "sessions_before_this_one", "sessions_with_other_values", "set_global_number", "set_gtid_next",
    "set_session_number", "show_account", "show_create", "show_create_schema", "show_create_table", "size_of_file",
    "skip_by_hand", "start_receiver", "start_replica", "still_in_binlog", "stop_replica", "string",
    "table_name", "update_row", "widen_counter", "work_out",
]  # fmt: skip
