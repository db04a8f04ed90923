"""When a sequence is accused, and what is advised on PostgreSQL: from the server's answer and from what the text says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.duplicate import Duplicate, Product
from replfix.core.explain.explain_error import explain
from replfix.core.explain.explanation import Answer, AskedPostgresql, Case, PostgresqlLocation, PostgresqlReading
from replfix.core.explain.recognise import recognise
from replfix.core.replication.subscription import Subscription
from replfix.core.rows.postgresql_row import Cell
from replfix.core.schema.postgresql_key import IndexPart, KeyKind, TableColumn, UniqueIndex
from replfix.core.schema.postgresql_sequence import ColumnSequence, SequenceUse

ID = IndexPart("id", "id", "integer", "integer", ("pg_catalog", "="), None, None, True)
KEY = UniqueIndex(
    oid=2,
    table_oid=1,
    schema="public",
    table="orders",
    name="orders_pkey",
    kind=KeyKind.PRIMARY_KEY,
    definition="PRIMARY KEY (id)",
    parts=(ID,),
    columns=(TableColumn("id", "integer"), TableColumn("no", "text"), TableColumn("at", "timestamp with time zone")),
    predicate=None,
)
SEQUENCE = ColumnSequence(
    schema="public",
    name="orders_id_seq",
    use=SequenceUse.DEFAULT,
    table_schema="public",
    table="orders",
    column="id",
    increment=1,
    maximum=2**31 - 1,
    cycles=False,
    last_value=7,
    is_called=True,
    highest=9,
)
ROW = (
    Cell("id", "integer", "7"),
    Cell("no", "text", "A-7"),
    Cell("at", "timestamp with time zone", "2026-01-01 10:00:00+00"),
)
MESSAGE = (
    'ERROR:  duplicate key value violates unique constraint "orders_pkey"\nDETAIL:  Key (id)=(7) already exists.\n'
)


def case(
    statement: str = "",
    *,
    key: UniqueIndex = KEY,
    sequence: ColumnSequence | None = SEQUENCE,
    value: str = "7",
    behind: str = "",
) -> Case:
    text = MESSAGE.replace("(7)", f"({value})") + behind + (f"STATEMENT:  {statement}" if statement else "")
    (duplicate,) = recognise(text)
    reading = PostgresqlReading((value,), Answer.FOUND, (ROW,), "SELECT 1")
    place = PostgresqlLocation(key, (reading,), sequence, ())
    return Case(duplicate, duplicate.insert, None, (), AskedPostgresql("db:5432/shop", "17.2", (place,), False, False))


def reason(of: Case, code: str) -> Cause | None:
    return next((reason for reason in explain(of).reasons if reason.code == code), None)


@pytest.mark.parametrize(
    ("statement", "changed", "value", "confidence"),
    [
        ("INSERT INTO orders (no) VALUES ('x')", {}, "7", Confidence.HIGH),
        ("INSERT INTO orders (id, no) VALUES (DEFAULT, 'x')", {}, "7", Confidence.HIGH),
        ("INSERT INTO orders (id, no) VALUES (nextval('orders_id_seq'), 'x')", {}, "7", Confidence.HIGH),
        ("", {}, "7", Confidence.MEDIUM),  # the last value that it gave
        ("", {}, "3", Confidence.LOW),
        (
            "INSERT INTO orders (no) VALUES ('x')",
            {"highest": 6},
            "6",
            Confidence.MEDIUM,
        ),  # it has passed the rows since
        ("INSERT INTO orders (no) VALUES ('x')", {"use": SequenceUse.OWNED}, "7", Confidence.MEDIUM),
        ("", {}, "8", None),  # not given out yet
        ("", {"highest": 7}, "7", None),
        ("", {"is_called": False}, "7", None),
        ("", {"increment": -1}, "7", None),
        ("INSERT INTO orders (id, no) VALUES (7, 'x')", {}, "7", None),
        ("INSERT INTO orders VALUES (7, 'x')", {}, "7", None),
        ("UPDATE orders SET id = 7 WHERE id = 8", {}, "7", None),
    ],
)
def test_a_sequence_is_accused_of_what_it_gave(
    statement: str, changed: dict[str, object], value: str, confidence: Confidence | None
) -> None:
    found = reason(case(statement, sequence=replace(SEQUENCE, **changed), value=value), "sequence-behind")  # type: ignore[arg-type]
    assert (found.confidence if found else None) is confidence


def test_no_sequence_is_accused_where_the_column_has_none() -> None:
    assert reason(case(sequence=None), "sequence-behind") is None


def test_what_the_account_may_not_read_leaves_the_text_to_speak() -> None:
    found = reason(
        case("INSERT INTO orders (no) VALUES ('x')", sequence=replace(SEQUENCE, last_value=None)), "sequence-behind"
    )
    assert found is not None
    assert found.confidence is Confidence.MEDIUM


def test_a_sequence_at_its_end_is_not_set_further() -> None:
    end = replace(SEQUENCE, maximum=9)
    found = reason(case("INSERT INTO orders (no) VALUES ('x')", sequence=end), "sequence-behind")
    assert found is not None
    assert not any("setval" in statement for fix in found.fixes for statement in fix.sql)


def test_a_subscription_is_named_as_what_leaves_the_sequence_where_it_is() -> None:
    of = case("INSERT INTO orders (no) VALUES ('x')")
    assert of.postgresql is not None
    applied = replace(of.postgresql.places[0], subscriptions=(Subscription(16404, "s15", True, False, True, 2),))
    found = reason(replace(of, postgresql=replace(of.postgresql, places=(applied,))), "sequence-behind")
    assert found is not None
    assert "subscription s15" in " ".join(found.evidence)


@pytest.mark.parametrize(
    ("changed", "advice"),
    [
        ({}, "ON CONFLICT (id) DO NOTHING"),
        ({"predicate": "active"}, "ON CONFLICT (id) WHERE active DO NOTHING"),
        ({"deferrable": True}, "does not take a deferrable constraint"),
    ],
)
def test_an_upsert_is_advised_as_far_as_the_key_can_be_its_arbiter(changed: dict[str, object], advice: str) -> None:
    found = reason(case(key=replace(KEY, **changed), sequence=None), "value-taken")  # type: ignore[arg-type]
    assert found is not None
    assert advice in found.fixes[-1].text


def test_a_generated_id_is_never_overwritten() -> None:
    found = reason(case("INSERT INTO orders (id, no) VALUES (7, 'x')"), "value-taken")
    assert found is not None
    assert not any("ON CONFLICT" in fix.text for fix in found.fixes)


@pytest.mark.parametrize(
    ("statement", "code", "confidence"),
    [
        ("INSERT INTO orders (id, no) VALUES (7, 'A-7')", "same-insert-again", Confidence.HIGH),
        ("INSERT INTO orders VALUES (7, 'A-7', '2026-01-01 10:00:00+00')", "same-insert-again", Confidence.HIGH),
        ("INSERT INTO orders (id, no) VALUES (7, 'B')", "value-taken", Confidence.MEDIUM),
        ("INSERT INTO orders (id, no) VALUES (7, NULL)", "value-taken", Confidence.MEDIUM),
        ("INSERT INTO orders (id, no) VALUES ($1, $2)", "value-taken", Confidence.LOW),
    ],
)
def test_the_row_is_compared_with_the_statement(statement: str, code: str, confidence: Confidence) -> None:
    found = reason(case(statement), code)
    assert found is not None
    assert found.confidence is confidence


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"deferrable": True, "initially_deferred": True}, "deferred-constraint"),
        ({"deferrable": True}, "deferred-constraint"),
        ({"valid": False}, "invalid-index"),
    ],
)
def test_what_the_key_is_can_be_the_cause(changed: dict[str, object], code: str) -> None:
    assert reason(case(key=replace(KEY, **changed)), code) is not None  # type: ignore[arg-type]
    assert reason(case(), code) is None


def test_a_type_that_ignores_case_is_named() -> None:
    email = replace(
        ID, column="no", expression="no", type="public.citext", compared_as="public.citext", collation="default"
    )
    found = reason(case(key=replace(KEY, parts=(email,)), sequence=None, value="a-7"), "equal-by-collation")
    assert found is not None
    assert "public.citext" in found.evidence[0]


def test_duplicates_of_mysql_are_not_concerned() -> None:
    of = Case(Duplicate(Product.MYSQL, "plain", "orders.PRIMARY", "7"), None, None)
    assert explain(of).reasons == ()


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("integer", "-7", -7),
        ("boolean", "t", True),
        ("bytea", "\\x00ff", b"\x00\xff"),
        ("bytea", "\\x0", "\\x0"),
        ("bigint", "9" * 40, "9" * 40),
        ("numeric", "NaN", "NaN"),
        ("text", "7", "7"),
        ("integer", None, None),
    ],
)
def test_a_cell_has_the_value_that_a_document_knows(type_: str, text: str | None, value: object) -> None:
    assert Cell("c", type_, text).value == value


APPLIED = (
    'CONTEXT:  processing remote data for replication origin "pg_16404" during message type "INSERT" for replication target '
    'relation "public.orders" in transaction 812, finished at 0/18372A0\n'
)


@pytest.mark.parametrize(
    ("subscriptions", "version", "statements"),
    [
        (
            (Subscription(16404, "s15", True, False, True, 2), Subscription(5, "other", True, False, True, None)),
            "15.18 (Debian 15.18-0+deb12u1)",
            ["SELECT 1", """ALTER SUBSCRIPTION "s15" SKIP (lsn = '0/18372A0')""", 'ALTER SUBSCRIPTION "s15" DISABLE'],
        ),
        (
            (Subscription(16404, 's"1', False, True, True, 2),),
            "18.4",
            [
                "SELECT 1",
                'ALTER SUBSCRIPTION "s""1" ENABLE',
                """ALTER SUBSCRIPTION "s""1" SKIP (lsn = '0/18372A0')""",
                'ALTER SUBSCRIPTION "s""1" ENABLE',
            ],
        ),
        (
            (Subscription(16404, "s14", True, False, True, None),),
            "14.2",  # has no SKIP
            ["SELECT 1", 'ALTER SUBSCRIPTION "s14" DISABLE'],
        ),
        (
            (Subscription(5, "other", True, False, True, None),),
            "15.1",  # not of this server: as the text has it
            [
                'SELECT * FROM "public"."orders" WHERE "id" = \'7\'',
                "SELECT oid, subname, subenabled FROM pg_subscription",
                "ALTER SUBSCRIPTION name SKIP (lsn = '0/18372A0')",
            ],
        ),
    ],
    ids=["enabled", "disabled", "before 15", "another server"],
)
def test_a_conflict_of_a_subscription_is_that_subscriptions(
    subscriptions: tuple[Subscription, ...], version: str, statements: list[str]
) -> None:
    of = case(behind=APPLIED)
    assert of.postgresql is not None
    place = replace(of.postgresql.places[0], subscriptions=subscriptions)
    explained = explain(replace(of, postgresql=replace(of.postgresql, places=(place,), version=version)))
    assert [reason.code for reason in explained.reasons] == ["subscription-conflict"]
    assert [statement for fix in explained.reasons[0].fixes for statement in fix.sql] == statements
