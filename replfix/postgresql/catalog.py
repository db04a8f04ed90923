"""Unique indexes, sequences and subscriptions, from PostgreSQL's catalogs (11 and later)."""

from __future__ import annotations

from dataclasses import replace

from replfix.core import sql
from replfix.core.replication.subscription import Subscription
from replfix.core.schema.postgresql_key import IndexPart, KeyKind, TableColumn, UniqueIndex
from replfix.core.schema.postgresql_sequence import ColumnSequence, SequenceUse
from replfix.postgresql.postgresql_session import PostgresqlSession

_DETERMINISTIC = 120000  # non-deterministic collations
_NULLS = 150000  # NULLS NOT DISTINCT, disable_on_error, pg_stat_subscription_stats

_KINDS = {
    "p": KeyKind.PRIMARY_KEY,
    "u": KeyKind.UNIQUE_CONSTRAINT,
    "x": KeyKind.EXCLUSION_CONSTRAINT,
    None: KeyKind.UNIQUE_INDEX,
}

# A message about a partition names the partition's index, and its statement the table that it is a partition of.
_INDEXES = """
SELECT i.indexrelid, i.indrelid, n.nspname, t.relname, c.relname, k.contype,
  COALESCE(pg_get_constraintdef(k.oid), pg_get_indexdef(i.indexrelid)), pg_get_expr(i.indpred, i.indrelid),
  k.condeferrable, k.condeferred, {nulls}, i.indisvalid, t.relkind = 'p',
  has_schema_privilege(n.oid, 'USAGE'), row_security_active(t.oid)
FROM pg_class c
JOIN pg_index i ON i.indexrelid = c.oid
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.conrelid = t.oid AND k.contype IN ('p', 'u', 'x')
WHERE c.relname = %(name)s AND (i.indisunique OR i.indisexclusion)
  AND (%(table)s::text IS NULL OR EXISTS (
    WITH RECURSIVE tables(oid) AS (
      SELECT t.oid UNION ALL SELECT h.inhparent FROM tables JOIN pg_inherits h ON h.inhrelid = tables.oid)
    SELECT FROM tables JOIN pg_class r ON r.oid = tables.oid JOIN pg_namespace s ON s.oid = r.relnamespace
    WHERE r.relname = %(table)s AND (%(schema)s::text IS NULL OR s.nspname = %(schema)s)))
ORDER BY n.nspname, t.relname LIMIT %(limit)s
"""

# What a literal is compared as: the type that the operator class is for; of a polymorphic one (enum, array, range, record) the
# column's own, without domains, whose checks are not to run. Its kind says whether only the server's own code reads a literal.
_PARTS = """
SELECT a.attname, pg_get_indexdef(i.indexrelid, p.n, false), format_type(ia.atttypid, ia.atttypmod),
  format_type(ct.oid, -1),
  on_.nspname, o.oprname,
  CASE WHEN i.indcollation[p.n - 1] = 0 OR i.indcollation[p.n - 1] = a.attcollation THEN NULL
    WHEN l.collname = 'default' AND NOT EXISTS (SELECT FROM pg_attribute x WHERE x.attrelid = i.indrelid AND x.attnum > 0
      AND x.attcollation NOT IN (0, i.indcollation[p.n - 1])) THEN NULL
    ELSE quote_ident(ln.nspname) || '.' || quote_ident(l.collname) END,
  l.collname, {deterministic},
  ct.typtype IN ('b', 'e', 'r', 'm') AND (e.typtype IS NULL OR e.typtype IN ('b', 'e', 'r', 'm'))
FROM pg_index i
CROSS JOIN LATERAL generate_series(1, i.indnkeyatts::int) AS p(n)
JOIN pg_attribute ia ON ia.attrelid = i.indexrelid AND ia.attnum = p.n
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[p.n - 1] AND i.indkey[p.n - 1] <> 0
JOIN pg_opclass oc ON oc.oid = i.indclass[p.n - 1]
JOIN pg_type ot ON ot.oid = oc.opcintype
JOIN pg_type ct ON ct.oid = CASE WHEN ot.typtype <> 'p' THEN ot.oid ELSE (
  WITH RECURSIVE based(oid, kind, base) AS (
    SELECT y.oid, y.typtype, y.typbasetype FROM pg_type y WHERE y.oid = COALESCE(a.atttypid, ia.atttypid)
    UNION ALL SELECT y.oid, y.typtype, y.typbasetype FROM pg_type y JOIN based ON y.oid = based.base AND based.kind = 'd')
  SELECT oid FROM based WHERE kind <> 'd') END
LEFT JOIN pg_type e ON e.oid = ct.typelem
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.conexclop IS NOT NULL
JOIN pg_operator o ON o.oid = COALESCE(k.conexclop[p.n], (
  SELECT w.amopopr FROM pg_amop w WHERE w.amopfamily = oc.opcfamily AND w.amoplefttype = oc.opcintype
  AND w.amoprighttype = oc.opcintype AND w.amopstrategy = 3 LIMIT 1))
JOIN pg_namespace on_ ON on_.oid = o.oprnamespace
LEFT JOIN pg_collation l ON l.oid = i.indcollation[p.n - 1]
LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace
WHERE i.indexrelid = %(index)s ORDER BY p.n
"""

_COLUMNS = """
SELECT a.attname, format_type(b.oid, -1), has_column_privilege(a.attrelid, a.attnum, 'SELECT')
FROM pg_attribute a
CROSS JOIN LATERAL (
  WITH RECURSIVE based(oid, kind, base) AS (
    SELECT y.oid, y.typtype, y.typbasetype FROM pg_type y WHERE y.oid = a.atttypid
    UNION ALL SELECT y.oid, y.typtype, y.typbasetype FROM pg_type y JOIN based ON y.oid = based.base AND based.kind = 'd')
  SELECT oid FROM based WHERE kind <> 'd') b
WHERE a.attrelid = %(table)s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""

# An index's expressions, its predicate and their operators run as the account that asks, so only those of somebody who may do
# everything anyway, or of the account itself, are run. Objects of the server itself are in no pg_depend.
_FOREIGN_CODE = """
SELECT DISTINCT p.oid::regprocedure::text
FROM pg_depend d
LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
JOIN pg_proc p ON p.oid = CASE WHEN d.refclassid = 'pg_proc'::regclass THEN d.refobjid ELSE o.oprcode END
JOIN pg_roles r ON r.oid = p.proowner
WHERE d.classid = 'pg_class'::regclass AND d.objid = %(index)s AND NOT r.rolsuper AND r.rolname <> current_user
UNION
SELECT DISTINCT t.oid::regtype::text
FROM pg_depend d
JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid AND t.typtype = 'd'
JOIN pg_roles r ON r.oid = t.typowner
WHERE d.classid = 'pg_class'::regclass AND d.objid = %(index)s AND NOT r.rolsuper AND r.rolname <> current_user
ORDER BY 1 LIMIT 3
"""

# A partition's numbers come from the sequence of the table that it is a partition of.
_SEQUENCES = """
WITH RECURSIVE tables(oid, depth) AS (
  SELECT %(table)s::oid, 0
  UNION ALL SELECT h.inhparent, depth + 1 FROM tables JOIN pg_class c ON c.oid = tables.oid AND c.relispartition
    JOIN pg_inherits h ON h.inhrelid = tables.oid),
columns AS (
  SELECT a.attrelid, a.attnum, a.attidentity, tables.depth FROM tables
  JOIN pg_attribute a ON a.attrelid = tables.oid AND a.attname = %(column)s AND NOT a.attisdropped),
used(sequence, use, depth) AS (
  SELECT d.objid, CASE WHEN c.attidentity <> '' THEN 'identity' ELSE 'owned' END, c.depth
  FROM columns c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = c.attrelid AND d.refobjsubid = c.attnum AND d.deptype IN ('a', 'i')
  UNION ALL
  SELECT d.refobjid, 'default', c.depth
  FROM columns c JOIN pg_attrdef f ON f.adrelid = c.attrelid AND f.adnum = c.attnum
    JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass)
SELECT n.nspname, s.relname, used.use, q.seqincrement, q.seqmax, q.seqcycle, has_sequence_privilege(s.oid, 'SELECT'),
  rn.nspname, r.relname
FROM used
JOIN pg_sequence q ON q.seqrelid = used.sequence
JOIN pg_class s ON s.oid = q.seqrelid
JOIN pg_namespace n ON n.oid = s.relnamespace
JOIN pg_class r ON r.oid = (SELECT tables.oid FROM tables ORDER BY depth DESC LIMIT 1)
JOIN pg_namespace rn ON rn.oid = r.relnamespace
ORDER BY used.use = 'identity' DESC, used.use = 'default' DESC, used.depth LIMIT 1
"""

_SUBSCRIPTIONS = """
SELECT s.oid, s.subname, s.subenabled, {disabled},
  EXISTS (SELECT FROM pg_subscription_rel r WHERE r.srsubid = s.oid AND r.srrelid = %(table)s), {errors}
FROM pg_subscription s WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY s.subname LIMIT 100
"""


def unique_indexes(
    session: PostgresqlSession, name: str, schema: str | None, table: str | None, limit: int
) -> list[UniqueIndex]:
    """Return what has that name, in every schema of the database; with ``table``, of that table or its partitions."""
    nulls = "i.indnullsnotdistinct" if session.version_number >= _NULLS else "false"
    args = {"name": name, "schema": schema, "table": table, "limit": limit}
    found = session.rows(_INDEXES.format(nulls=nulls), args)
    return [_unique_index(session, row) for row in found]


def _unique_index(session: PostgresqlSession, row: tuple[str | None, ...]) -> UniqueIndex:
    index, table = int(_str(row[0])), int(_str(row[1]))
    deterministic = "l.collisdeterministic" if session.version_number >= _DETERMINISTIC else "true"
    parts = session.rows(_PARTS.format(deterministic=deterministic), {"index": index})
    columns = session.rows(_COLUMNS, {"table": table})
    key = UniqueIndex(
        oid=index,
        table_oid=table,
        schema=_str(row[2]),
        table=_str(row[3]),
        name=_str(row[4]),
        kind=_KINDS[row[5]],
        definition=_str(row[6]),
        parts=tuple(_part(part) for part in parts),
        columns=tuple(TableColumn(_str(c[0]), _str(c[1])) for c in columns if c[2] == "t"),
        predicate=row[7],
        deferrable=row[8] == "t",
        initially_deferred=row[9] == "t",
        nulls_not_distinct=row[10] == "t",
        valid=row[11] == "t",
        partitioned=row[12] == "t",
    )
    return replace(key, refused=_refused(session, key, parts, usage=row[13] == "t", filtered=row[14] == "t"))


def _part(row: tuple[str | None, ...]) -> IndexPart:
    return IndexPart(
        column=row[0],
        expression=_str(row[1]),
        type=_str(row[2]),
        compared_as=_str(row[3]),
        operator=(_str(row[4]), _str(row[5])),
        collate=row[6],
        collation=row[7],
        deterministic=row[8] != "f",
    )


def _refused(
    session: PostgresqlSession, key: UniqueIndex, parts: list[tuple[str | None, ...]], *, usage: bool, filtered: bool
) -> str | None:
    """Return why the rows of the key are not looked up; None where they are."""
    table = f"{key.schema}.{key.table}"
    if not usage:
        return f"the account lacks USAGE on the schema {key.schema} and SELECT on {table}"
    if not key.columns or key.unreadable:
        missing = f" ({', '.join(key.unreadable)})" if key.columns else ""
        return f"the account lacks SELECT{missing} on {table}"
    if filtered:
        return f"row-level security hides rows of {table} from the account (its owner, or an account with BYPASSRLS, sees all)"
    if not all(part[9] == "t" for part in parts):
        return "a value of its type is read by code that somebody has defined, which replfix does not run"
    foreign = session.rows(_FOREIGN_CODE, {"index": key.oid})
    if foreign:
        return f"its expression uses {', '.join(_str(f[0]) for f in foreign)}, which replfix does not run: a superuser does not own it"
    return None


def column_sequence(session: PostgresqlSession, key: UniqueIndex, column: str) -> ColumnSequence | None:
    """Return the sequence of a column, without its highest value."""
    found = session.rows(_SEQUENCES, {"table": key.table_oid, "column": column})
    if not found:
        return None
    schema, name, use, increment, maximum, cycles, readable, table_schema, table = map(_str, found[0])
    last, called = None, "f"
    if readable == "t":
        ((last, is_called),) = session.rows(sql.postgresql_sequence_state(schema, name))
        called = _str(is_called)
    return ColumnSequence(
        schema=schema,
        name=name,
        use=SequenceUse(use),
        table_schema=table_schema,
        table=table,
        column=column,
        increment=int(increment),
        maximum=int(maximum),
        cycles=cycles == "t",
        last_value=None if last is None else int(last),
        is_called=called == "t",
        highest=None,
    )


def subscriptions(session: PostgresqlSession, table: int) -> tuple[Subscription, ...]:
    """Return the subscriptions of the database."""
    newer = session.version_number >= _NULLS
    statement = _SUBSCRIPTIONS.format(
        disabled="s.subdisableonerr" if newer else "false",
        errors="(SELECT c.apply_error_count FROM pg_stat_subscription_stats c WHERE c.subid = s.oid)"
        if newer
        else "NULL",
    )
    return tuple(
        Subscription(
            oid=int(_str(oid)),
            name=_str(name),
            enabled=enabled == "t",
            disabled_on_error=disabled == "t",
            has_table=has_table == "t",
            apply_errors=None if errors is None else int(errors),
        )
        for oid, name, enabled, disabled, has_table, errors in session.rows(statement, {"table": table})
    )


def _str(value: str | None) -> str:
    """Return a value that the catalog always has; ValueError where the server sends none."""
    if value is None:
        raise ValueError("a value of the catalog is NULL")
    return value
