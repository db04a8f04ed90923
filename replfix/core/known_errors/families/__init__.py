"""One family of errors a file: the numbers, what they mean, what replfix does and what is left to a human.

A new one is listed here, and has its page in docs/errors/.
"""

from __future__ import annotations

from typing import Protocol

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family
from replfix.core.known_errors.families import (
    account_refused,
    account_statement,
    applier_privilege,
    check_constraint,
    column_types,
    damaged_table,
    duplicate_key,
    existing_object,
    follow_up,
    foreign_key,
    foreign_key_definition,
    gtid_mode,
    gtid_next,
    gtid_out_of_order,
    gtid_position_table,
    json_difference,
    limit,
    lock_or_timeout,
    missing_feature,
    missing_object,
    missing_row,
    partitions,
    purged_binlog,
    receiver_configuration,
    refused_definition,
    refused_value,
    refusing_rows,
    relay_log,
    server_setting,
    source_incident,
    source_unreachable,
    stored_object,
    table_structure,
    temporary_directory,
    tls,
    unsafe_statement,
    worker_setup,
    xa_transaction,
)
from replfix.core.remedies.remedy import Remedy


class Guidance(Protocol):
    """What the module of a family has to have."""

    FAMILY: Family

    def advise(self, evidence: Evidence, /) -> tuple[Remedy, ...]:
        """Return what a human can do, once the evidence of an incident is there."""
        ...


FAMILIES: tuple[Guidance, ...] = (
    account_refused,
    account_statement,
    applier_privilege,
    check_constraint,
    column_types,
    damaged_table,
    duplicate_key,
    existing_object,
    follow_up,
    foreign_key,
    foreign_key_definition,
    gtid_mode,
    gtid_next,
    gtid_out_of_order,
    gtid_position_table,
    json_difference,
    limit,
    lock_or_timeout,
    missing_feature,
    missing_object,
    missing_row,
    partitions,
    purged_binlog,
    receiver_configuration,
    refused_definition,
    refused_value,
    refusing_rows,
    relay_log,
    server_setting,
    source_incident,
    source_unreachable,
    stored_object,
    table_structure,
    temporary_directory,
    tls,
    unsafe_statement,
    worker_setup,
    xa_transaction,
)
