"""From any text to the duplicate-key errors in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from replfix.core.explain import insert, statement_target
from replfix.core.explain.around import AFTER, BEFORE, Around, Context, nearby
from replfix.core.explain.duplicate import Duplicate, Kind, Product
from replfix.core.explain.forms import FORMS
from replfix.core.explain.guide.frameworks import foremost, framework_of
from replfix.core.explain.hit import Hit
from replfix.core.explain.messages import hits
from replfix.core.explain.text.flatten import flat
from replfix.core.explain.text.parameters import parameters_in

ACCEPTED = (
    "MySQL and MariaDB error 1062 (\"Duplicate entry '…' for key '…'\", in every language the server speaks) and PostgreSQL's "
    '23505 ("duplicate key value violates unique constraint …"), as clients, drivers, frameworks and logs print them; '
    "and the other errors about duplicate keys (1022, 1169, 1569, 1761, 1859, 23P01, a subscription's conflicts)."
)

MOST = 1_000
"""Different errors that are taken out of one text; a log of more is for ``--file``."""


def recognise(text: str) -> tuple[Duplicate, ...]:
    """Return every error in the text, in order; one that is there twice (a nested exception) once. Never raises.

    An applier's other errors are returned only where there is no duplicate key.
    """
    found: dict[tuple[Product, str, str | None], Duplicate] = {}
    for duplicate in _found(flat(text)):
        name = _same_error(found, duplicate)
        known = found.get(name)
        found[name] = duplicate if known is None else _fuller(known, duplicate)
        if len(found) >= MOST:
            break
    duplicates = tuple(found.values())
    return tuple(d for d in duplicates if d.kind is not Kind.REPLICA) or duplicates


def _same_error(
    found: dict[tuple[Product, str, str | None], Duplicate], duplicate: Duplicate
) -> tuple[Product, str, str | None]:
    """Return the name of the error in ``found``: one without its value is the one before with the same key, and the reverse."""
    name = duplicate.dialect, duplicate.key, duplicate.value
    if name in found or not found:
        return name
    last = next(reversed(found))
    if last[:2] == name[:2] and found[last].kind is duplicate.kind and None in (last[2], name[2]):
        return last
    return name


def _found(text: str) -> Iterator[Duplicate]:
    found = hits(text)
    for number, hit in enumerate(found):
        # No further than to the next message on either side: what is there is about that one.
        earliest = found[number - 1].end if number else 0
        latest = found[number + 1].start if number + 1 < len(found) else len(text)
        around = Around(
            text[max(earliest, hit.start - BEFORE) : hit.start],
            text[hit.start : hit.end],
            text[hit.end : max(hit.end, min(latest, hit.end + AFTER))],
        )
        yield _duplicate(hit, around)


_PLACEHOLDERS = re.compile(r"\?|%s|%\(\w|:\w|@\w|\$\d")


def _duplicate(hit: Hit, around: Around) -> Duplicate:
    form, context = _form(around)
    # PostgreSQL's own STATEMENT line is the session's own; what a form finds can be another's.
    quoted = (hit.statement or context.statement) if hit.dialect is Product.POSTGRESQL else context.statement
    if quoted is None and not context.replication:
        quoted = nearby(around)
    parameters = None
    if quoted and _PLACEHOLDERS.search(quoted):
        parameters = parameters_in(around.after) or parameters_in(around.before) or parameters_in(hit.context or "")
    said = insert.read(quoted, parameters) if quoted else None
    target = statement_target.target(quoted) if quoted else None
    named = hit.table or context.table
    if named is None and hit.context:
        in_context = _table_in_context(hit.context)
        named, context = (in_context[1], replace(context, schema=in_context[0])) if in_context else (None, context)
    table, schema = (named, hit.schema or context.schema) if named else (None, hit.schema or context.schema)
    if table is None and said is not None:
        table, schema = said.table, schema or said.schema
    elif table is None and target is not None:
        table, schema = target.table, schema or target.schema
    duplicate = Duplicate(
        dialect=hit.dialect,
        form=form,
        key=hit.key,
        value=hit.value,
        columns=hit.columns,
        schema=schema,
        table=table,
        statement=quoted,
        gtid=context.gtid,
        replication=context.replication,
        others=hit.others,
        kind=hit.kind,
        number=hit.number,
        state=hit.sqlstate,
        truncated=hit.truncated,
        insert=said,
        conflict=hit.conflict,
        detail=hit.detail,
        context=hit.context,
        framework=framework_of(form, around),
    )
    return _of_the_keys_table(duplicate)


_CONTEXT_TABLE = re.compile(
    r'for replication target relation "(?P<relation>[^"\n]{1,300})"|^\s*COPY (?P<copy>"[^"\n]{1,128}"|[^\s,"]{1,128}), |SQL statement "(?P<sql>[^"]{1,2000})',
    re.MULTILINE,
)


def _table_in_context(text: str) -> tuple[str | None, str] | None:
    """Return schema and table that PostgreSQL's CONTEXT names: of a subscription, a COPY, a statement in a function."""
    found = _CONTEXT_TABLE.search(text)
    if found is None:
        return None
    if found["sql"]:
        target = statement_target.target(found["sql"].strip())
        return (target.schema, target.table) if target is not None and target.table else None
    schema, _, table = (found["relation"] or found["copy"].strip('"')).rpartition(".")
    return schema or None, table


def _of_the_keys_table(duplicate: Duplicate) -> Duplicate:
    """Return it with the key's own table, where the statement is of another one: a trigger wrote there."""
    table = duplicate.key_table
    if table is None or duplicate.table is None or duplicate.statement is None or "." in table:
        return duplicate
    if table.casefold() == duplicate.table.casefold() or duplicate.key.count(".") > 1:
        return duplicate
    return replace(duplicate, table=table, schema=None)


def _form(around: Around) -> tuple[str, Context]:
    for form in FORMS:
        context = form.recognise(around)
        if context is not None:
            return form.NAME, context
    raise AssertionError("the form 'plain' takes every text")


def _fuller(one: Duplicate, other: Duplicate) -> Duplicate:
    """Return the fuller one of two texts of one error; the first where they say the same."""
    fuller = max((one, other), key=lambda d: (d.value is not None, d.statement is not None, d.table is not None))
    named = next((d.form for d in (one, other) if d.form != _PLAIN), _PLAIN)
    return replace(fuller, form=named, framework=foremost(one.framework, other.framework))


_PLAIN = FORMS[-1].NAME
