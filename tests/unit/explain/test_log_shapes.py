"""Every shape of log that an error comes in: each error once, with its key, table and value, and with the time of it.

The logs are in tests/golden/explain/logs, and what is in each of them in ``expected.tsv`` there: the file, its errors and
the time of the first group's first one; below it each group's count, key, table, shape and first two values.
"""

from __future__ import annotations

import io
import json

import pytest

from replfix.core.explain.log.mention import plain_text
from replfix.core.explain.recognise import recognise
from replfix.core.explain.surge import Group, Shape
from replfix.workflow.explain.explanations import Counted, explain_log
from replfix.workflow.explain.log_source import Finished
from tests.places import GOLDEN

LOGS = GOLDEN / "explain" / "logs"
TABLE = LOGS / "expected.tsv"


def count(text: str | bytes) -> Counted:
    raw = text.encode() if isinstance(text, str) else text
    return explain_log(Finished(io.BytesIO(raw)), None, lambda _: None)


def expected() -> dict[str, list[str]]:
    """What is in each log, as the lines of the table have it."""
    found: dict[str, list[str]] = {}
    for line in TABLE.read_text().splitlines():
        if not line.startswith("\t"):
            name, _, rest = line.partition("\t")
            found[name] = [rest]
        else:
            found[name].append(line.removeprefix("\t"))
    return found


def written(group: Group) -> str:
    values = " ".join(map(repr, group.examples[:2])) or "-"
    return f"{group.count}\t{group.key}\t{group.table or '-'}\t{group.shape.value}\t{values}"


@pytest.mark.parametrize(("name", "lines"), expected().items(), ids=expected().keys())
def test_a_log_is_counted(name: str, lines: list[str]) -> None:
    with (LOGS / name).open("rb") as log:
        counted = explain_log(Finished(log), None, lambda _: None)
    first = counted.groups[0].first_seen or "-"
    assert [f"{counted.errors}\t{first}", *map(written, counted.groups)] == lines
    assert (counted.damaged, counted.not_grouped) == (None, 0)
    assert sum(group.count for group in counted.groups) == counted.errors


def test_every_log_is_in_the_table() -> None:
    assert {path.name for path in LOGS.iterdir()} - set(expected()) == {TABLE.name}


DUPLICATE = "Duplicate entry '7' for key 'orders.PRIMARY'"
TRACE = f"java.sql.SQLException: {DUPLICATE}\n\tat a.B.c(D.java:1)\nCaused by: java.sql.SQLException: {DUPLICATE}\n"
PYTHON = f'Traceback (most recent call last):\n  File "a.py", line 3, in x\npymysql.err.IntegrityError: (1062, "{DUPLICATE}")\n'
CHAINED = (
    f"\nDuring handling of the above exception, another exception occurred:\n\n{PYTHON.replace('pymysql.err.', '')}"
)


@pytest.mark.parametrize(
    ("log", "errors"),
    [
        (f"2026-11-30 03:00:01 ERROR A : {DUPLICATE}\n2026-11-30 03:00:01 ERROR B : failed: {DUPLICATE}\n", 1),
        (f"2026-11-30 03:00:01 ERROR A : {DUPLICATE}\n2026-11-30 03:00:02 ERROR B : failed: {DUPLICATE}\n", 1),
        (f"2026-11-30 03:00:01 ERROR A : {DUPLICATE}\n2026-11-30 03:00:03 ERROR B : failed: {DUPLICATE}\n", 2),
        (f"2026-11-30 03:00:01 ERROR A : {DUPLICATE}\n" * 3, 3),  # times are whole seconds: a retry that does not wait
        (f"2026-11-30 03:00:01.123 ERROR A : {DUPLICATE}\n" * 2, 1),  # one line, twice: two handlers
        (f"2026-11-30 03:00:01.123 ERROR A : save failed\n{TRACE}2026-11-30 03:00:01.123 ERROR B : failed\n{TRACE}", 1),
        (f"2026-11-30 03:00:01.123 ERROR [r1] failed\n{TRACE}2026-11-30 03:00:01.123 ERROR [r2] failed\n{TRACE}", 2),
        (TRACE * 3, 3),
        (PYTHON * 3, 3),
        ((PYTHON + CHAINED) * 3, 3),
        (f'2026-11-30 03:00:01 ERROR (1062, "{DUPLICATE}")\n{PYTHON}', 1),
        ("".join(f"Nov 30 03:00:01 web{n} app[1]: {DUPLICATE}\n" for n in (1, 2)), 2),
        ("".join(f"Nov 30 03:00:01 web1 app[{n}]: {DUPLICATE}\n" for n in (1, 2)), 2),
        ("".join(f"web_{n}  | Error: {DUPLICATE}\n" for n in (1, 2)), 2),
        ("".join(f"[pod/shop-{n}/web] Error: {DUPLICATE}\n" for n in (1, 2)), 2),
        (
            f"<11>1 2026-11-30T03:00:01Z web1 app 17 - - {DUPLICATE}\n<11>1 2026-11-30T03:00:01Z web2 app 17 - - {DUPLICATE}\n",
            2,
        ),
    ],
    ids=range(16),
)
def test_what_is_one_error(log: str, errors: int) -> None:
    assert count(log).errors == errors


def test_what_the_log_leaves_open_is_counted_too() -> None:
    untimed = count(f"web: {DUPLICATE}\nworker says {DUPLICATE}\n")
    assert (untimed.errors, untimed.doubtful_errors, untimed.doubtful_repeats) == (2, 1, 0)
    timed = count(f"2026-11-30 03:00:01 A : {DUPLICATE}\n2026-11-30 03:00:02 B said {DUPLICATE}\n")
    assert (timed.errors, timed.doubtful_errors, timed.doubtful_repeats, timed.repeated) == (1, 0, 1, 1)


def docker(text: str, stream: str = "stdout") -> str:
    return json.dumps({"log": text, "stream": stream, "time": "2026-11-30T03:00:01.123456789Z"}) + "\n"


PARTS = ("create user: Error 1062 (23000): Duplicate entry 'a@exam", "ple.org' for key 'users.email'")


@pytest.mark.parametrize(
    "log",
    [
        f"2026-11-30T03:00:01.1Z stderr P {PARTS[0]}\n2026-11-30T03:00:01.1Z stderr F {PARTS[1]}\n",
        docker(PARTS[0]) + docker(PARTS[1] + "\n"),
    ],
    ids=["CRI", "docker"],
)
def test_a_line_that_the_runtime_broke_is_joined(log: str) -> None:
    assert count(log).groups[0].examples == ("a@example.org",)
    assert recognise(plain_text(log))[0].value == "a@example.org"


def test_docker_s_files() -> None:
    log = count(
        docker("Traceback (most recent call last):\n") + docker(f'E: (1062, "{DUPLICATE}")\n') + docker("fine\n")
    )
    assert (log.errors, log.groups[0].first_seen) == (1, "2026-11-30T03:00:01.123456789Z")


CSV = (
    '2026-11-30 03:00:0{n}.123 UTC,"app","shop",{n},"10.0.0.5:5",6,3,"INSERT",2026-11-30 02:59:00 UTC,5/1,7,ERROR,23505,'
    '"duplicate key value violates unique constraint ""users_email_key""","Key (email)=({value}) already exists.",,,,,'
    '"insert into users\n  (email)\nvalues (\'{value}\')",,,"web","client backend",,0\n'
)


def test_a_record_of_csvlog_has_several_lines() -> None:
    values = ("a", "two\nlines", 'with ""quotes""')
    log = count("".join(CSV.format(n=n, value=value) for n, value in enumerate(values)))
    group = log.groups[0]
    assert (log.errors, group.key, group.table) == (3, "users_email_key", "users")
    assert (group.examples[0], group.examples[2]) == ("a", 'with "quotes"')
    assert group.first_seen == "2026-11-30 03:00:00.123 UTC"
    assert recognise(plain_text(CSV.format(n=1, value="a")))[0].key == "users_email_key"


def test_another_session_s_detail_is_not_taken() -> None:
    violated = 'ERROR:  duplicate key value violates unique constraint "{key}"\n'
    log = count(
        "2026-11-30 03:00:00.101 UTC [100] "
        + violated.format(key="a_key")
        + "2026-11-30 03:00:00.101 UTC [200] "
        + violated.format(key="b_key")
        + "2026-11-30 03:00:00.101 UTC [200] DETAIL:  Key (id)=(2) already exists.\n"
    )
    groups = {group.key: group for group in log.groups}
    assert groups["b_key"].examples == ("2",)
    assert (groups["a_key"].examples, groups["a_key"].unknown) == ((), 1)


def test_values_that_the_log_does_not_have() -> None:
    line = 'ERROR:  duplicate key value violates unique constraint "a_key"\n'
    group = count("".join(f"2026-11-30 03:00:0{n} UTC [{n}] {line}" for n in range(5))).groups[0]
    assert (group.count, group.distinct, group.unknown, group.shape) == (5, 0, 5, Shape.UNKNOWN)


def test_a_key_s_table_comes_from_any_line_of_the_error() -> None:
    line = "2026-11-30 03:00:01.{n} ERROR {logger} : Duplicate entry '{n}' for key 'PRIMARY'{more}\n"
    log = count(
        "".join(
            line.format(n=n, logger="SqlExceptionHelper", more="")
            + line.format(n=n, logger="dispatcherServlet", more=f"; SQL: insert into {table} (id) values (?)")
            for n, table in ((100, "orders"), (101, "users"), (102, "orders"))
        )
    )
    assert sorted((group.table, group.count) for group in log.groups) == [("orders", 2), ("users", 1)]


@pytest.mark.parametrize(
    ("key", "value", "shape", "words"),
    [
        ("orders.PRIMARY", "127", Shape.AT_LIMIT, "TINYINT "),
        ("orders_pkey", "2147483647", Shape.AT_LIMIT, "INT "),
        ("orders.number", "18446744073709551615", Shape.AT_LIMIT, "BIGINT UNSIGNED "),
        ("orders.number", "255", Shape.REPEATED, "retries"),
        ("orders.PRIMARY", "0", Shape.EMPTY, "AUTO_INCREMENT"),
        ("orders.number", "0", Shape.REPEATED, "retries"),
        ("orders.number", "", Shape.EMPTY, "does not set the column"),
    ],
)
def test_what_one_value_again_and_again_can_be(key: str, value: str, shape: Shape, words: str) -> None:
    group = count(
        "".join(f"2026-11-30 03:00:0{n} Duplicate entry '{value}' for key '{key}'\n" for n in range(5))
    ).groups[0]
    assert (group.shape, words in group.meaning) == (shape, True)


def test_one_table_s_values_stay_together() -> None:
    """Repeated values alone, or numbers alone, are no reason to take a key for several tables'."""
    for values in ([7, 7, 7, 8, 8, 8, 9, 9, 9], range(100, 130), [n * 7919 % 10_007 for n in range(40)]):
        log = count(
            "".join(f"2026-11-30 03:00:{n:02} Duplicate entry '{v}' for key 'PRIMARY'\n" for n, v in enumerate(values))
        )
        assert [group.separated for group in log.groups] == [False]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_utf_16(encoding: str) -> None:
    log = count(
        "".join(f"2026-11-30 03:00:0{n} Duplicate entry 'ü{n}' for key 'a.b'\r\n" for n in range(4)).encode(encoding)
    )
    assert (log.errors, log.groups[0].examples) == (4, ("ü0", "ü1", "ü2"))


@pytest.mark.parametrize(
    ("text", "encoding", "value"),
    [
        ("Дублирующаяся запись 'Юг' по ключу 'a.b'", "cp1251", "Юг"),
        ("Дублирующаяся запись 'Юг' по ключу 'a.b'", "koi8_u", "Юг"),
        ("Doppelter Eintrag 'Müller' für Schlüssel 'a.b'", "cp1252", "Müller"),
        ("'東京' は索引 'a.b' で重複しています。", "cp932", "東京"),
        ("Διπλή εγγραφή 'ω' για το κλειδί 'a.b'", "cp1253", "ω"),
    ],
)
def test_messages_in_the_encoding_of_an_old_client(text: str, encoding: str, value: str) -> None:
    log = count(("2026-11-30 03:00:00 fine\n" * 9 + f"2026-11-30 03:00:01 {text}\n").encode(encoding))
    assert log.groups[0].examples == (value,)
