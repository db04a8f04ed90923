"""The page of an explanation: what is shown of what a server has, and of what it does not."""

from __future__ import annotations

import pytest

from replfix.core.columns.key_probe import Match, with_any_character
from replfix.core.explain.duplicate import Duplicate, Product
from replfix.core.explain.explain_error import explain
from replfix.core.explain.explanation import Answer, Asked, Case, KeyLocation, Reading
from replfix.core.explain.recognise import recognise
from replfix.core.schema.auto_increment import AutoIncrement, Counter
from replfix.core.schema.table import Column, KeyPart, Table, TableName, UniqueKey
from replfix.core.sql.row_statements import find_shown
from replfix.present.page.explain.explanation_page import explanations_page
from replfix.present.page.markdown_page import markdown

USERS = tuple(
    Column(
        name,
        ordinal,
        "varchar" if name != "id" else "int",
        "varchar(20)" if name != "id" else "int",
        True,
        charset=charset,
    )
    for ordinal, (name, charset) in enumerate([("id", None), ("email", "utf8mb4")])
)
PRIMARY = UniqueKey("PRIMARY", (KeyPart("id"),))
EMAIL = UniqueKey("uq_email", (KeyPart("email"),))


def table(schema: str, *keys: UniqueKey) -> Table:
    return Table(TableName(schema, "users"), USERS, keys, "InnoDB", True)


def place(of: Table, key: UniqueKey, value: str, *, found: bool, counter: Counter | None = None) -> KeyLocation:
    rows = ((1, value),) if found else ()
    reading = Reading((value,), Answer.FOUND if found else Answer.NO_ROW, rows, (Match(key.parts[0], value),))
    return KeyLocation(of, key, (reading,), counter)


def page(key: str, value: str, *places: KeyLocation) -> str:
    asked = Asked("10.0.0.1:3306", "9.7.4", places, AutoIncrement(1, 1), replicates=False, read_only=False)
    return markdown(explanations_page([explain(Case(Duplicate(Product.MYSQL, "plain", key, value), None, asked))]))


def test_two_schemas_with_the_same_key_ask_for_the_table() -> None:
    both = [place(table(schema, EMAIL), EMAIL, "a@example.org", found=True) for schema in ("shop", "archive")]
    assert "\\-\\-table" in page("users.uq_email", "a@example.org", *both) or "--table SCHEMA.TABLE" in page(
        "users.uq_email", "a@example.org", *both
    )
    assert "SCHEMA" not in page("users.uq_email", "a@example.org", both[0])


@pytest.mark.parametrize(
    ("key", "wanted"),
    [("tt.PRIMARY", ["privilege", "TEMPORARY", "another server"]), ("<group_key>", ["made for a query"])],
)
def test_a_key_that_is_not_found_names_what_it_can_be(key: str, wanted: list[str]) -> None:
    text = page(key, "1")
    assert all(each in text for each in wanted)


@pytest.mark.parametrize(
    ("keys", "key", "counter", "wanted", "unwanted"),
    [
        ((PRIMARY,), PRIMARY, Counter(USERS[0], 9, 7), "would overwrite it without an error", "Where the newer values"),
        ((PRIMARY, EMAIL), EMAIL, None, "which can be a stranger's", "Where the newer values"),
        ((EMAIL,), EMAIL, None, "It overwrites the columns that its UPDATE part names", "stranger"),
    ],
)
def test_no_upsert_overwrites_a_row_without_a_word(
    keys: tuple[UniqueKey, ...], key: UniqueKey, counter: Counter | None, wanted: str, unwanted: str
) -> None:
    text = page(f"users.{key.name}", "7", place(table("shop", *keys), key, "7", found=True, counter=counter))
    assert wanted in text
    assert unwanted not in text


def test_any_character_is_looked_for_where_the_message_has_none() -> None:
    of = table("shop", EMAIL)
    found = (Match(EMAIL.parts[0], "50%_|\N{REPLACEMENT CHARACTER}?"),)
    wider = with_any_character(of, found)
    assert wider is not None
    assert find_shown(of, wider).endswith("`email` LIKE '50|%|_||__' ESCAPE '|'")
    assert with_any_character(of, (Match(EMAIL.parts[0], "plain"),)) is None
    assert with_any_character(of, (Match(PRIMARY.parts[0], 7),)) is None


def test_the_query_for_a_prefix_can_be_copied() -> None:
    prefix = KeyPart("email", 4)
    of = table("shop", UniqueKey("uq_email", (prefix,)))
    assert find_shown(of, (Match(prefix, "anna"),)) == "SELECT * FROM `shop`.`users` WHERE LEFT(`email`, 4) = 'anna'"


def test_a_value_that_may_be_another_is_not_said_to_be_gone() -> None:
    text = page("users.uq_email", "Hi ?", place(table("shop", EMAIL), EMAIL, "Hi ?", found=False))
    assert "No row has the value now" not in text
    assert "is not known" in text


@pytest.mark.parametrize(
    ("parameters", "values"),
    [
        ("[parameters: ('a@example.org', 'Ann')]", ("a@example.org", "Ann")),
        ("[parameters: {'email': 'a@example.org', 'name': None}]", ("a@example.org", None)),
        ("parameters: [ 'a@example.org', 7 ]", ("a@example.org", "7")),
        ('with params ["a@example.org", "O\\u0027Brien"]', ("a@example.org", "O'Brien")),
        ("[parameters: ('a@example.org', datetime.date(2026, 1, 1))]", ("a@example.org", None)),
        ("[parameters: ('a@example.org',)]", (None, None)),  # one too few: whose they are is unknown
        ("", (None, None)),
    ],
)
def test_parameters_beside_a_statement(parameters: str, values: tuple[str | None, ...]) -> None:
    named = "%(email)s, %(name)s" if "{" in parameters else "?, ?"
    text = (
        "sqlalchemy.exc.IntegrityError: (1062, \"Duplicate entry 'a@example.org' for key 'users.uq_email'\")\n"
        f"[SQL: INSERT INTO users (email, name) VALUES ({named})]\n{parameters}\n"
    )
    (duplicate,) = recognise(text)
    assert duplicate.insert is not None
    assert tuple(item.known_text for item in duplicate.insert.rows[0]) == values


@pytest.mark.parametrize(
    ("message", "number", "table", "key", "code"),
    [
        ("ERROR 1169 (23000): Can't write, because of unique constraint, to table 'shop.users'", 1169, "users", "", None),
        (
            "ERROR 1761 (23000): Foreign key constraint for table 'p', record '7' would lead to a duplicate entry in table 'c', key 'uq'",
            1761, "c", "uq", "cascade-collides",
        ),
        (
            "ERROR 1762 (23000): Foreign key constraint for table 'p', record '7' would lead to a duplicate entry in a child table",
            1762, None, "", "cascade-collides",
        ),
        (
            "Upholding foreign key constraints for table 'p', entry '7-1', key 2 would lead to a duplicate entry",
            1557, "p", "2", "cascade-collides",
        ),
    ],
)  # fmt: skip
def test_other_numbers(message: str, number: int, table: str | None, key: str, code: str | None) -> None:
    (duplicate,) = recognise(message)
    assert (duplicate.errno, duplicate.table, duplicate.key) == (number, table, key)
    reasons = explain(Case(duplicate, duplicate.insert, None)).reasons
    assert [reason.code for reason in reasons] == ([code] if code else [])


def test_a_statement_may_not_control_the_page() -> None:
    text = "Duplicate entry '\x1b[31m' for key 'a' (Connection: x, SQL: insert into t (`a`) values ('\x1b[31m\u202e'))"
    (duplicate,) = recognise(f"SQLSTATE[23000]: Integrity constraint violation: 1062 {text}")
    shown = markdown(explanations_page([explain(Case(duplicate, duplicate.insert, None))]))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
