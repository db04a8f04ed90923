"""What does a log full of errors cost to count, beside one that has hardly any?

    python -m benchmarks.explain_log [--megabytes 64]

Each log is made in memory, with an error in every 4 KB: a line among the application's others, a Java stack trace,
Python tracebacks under journald, PostgreSQL's log of several sessions, JSON lines, MariaDB's keys without a table. The
sparse log has one error a megabyte. Prints the seconds of processor time per GB and per error (medians of three), and
the ratio to the sparse log, and the memory that the reading took.
"""

from __future__ import annotations

import argparse
import io
import resource
import statistics
import time
from collections.abc import Callable

from replfix.workflow.explain.explanations import explain_log
from replfix.workflow.explain.log_source import Finished

EVERY = 4096
GIGABYTE = 1_000_000_000


def at(number: int) -> str:
    return f"2026-11-30 {number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.{number * 7 % 1000:03}"


def quiet(number: int, size: int) -> str:
    line = (
        f"{at(number)} INFO [nio-8080-exec-{number % 20}] com.example.shop.Orders : order {number} was paid in 12 ms\n"
    )
    return line * (size // len(line) + 1)


def one_line(number: int) -> str:
    return f"{at(number)} ERROR [{number % 20}] Error 1062 (23000): Duplicate entry 'u{number}@example.org' for key 'users.email'\n"


def java(number: int) -> str:
    message = f"Duplicate entry 'u{number}@example.org' for key 'users.email'"
    frames = "".join(f"\tat com.example.shop.orders.Service{n}.save(Service{n}.java:{n})\n" for n in range(30))
    return (
        f"{at(number)} ERROR 1 --- [exec-{number % 20}] o.h.engine.jdbc.spi.SqlExceptionHelper : {message}\n"
        f"{at(number)} ERROR 1 --- [exec-{number % 20}] o.a.c.c.C.[.[.[/].[dispatcherServlet] : Servlet.service() threw\n"
        f"org.springframework.dao.DataIntegrityViolationException: could not execute statement [{message}] "
        f"[insert into users (email) values (?)]\n{frames}"
        f"Caused by: java.sql.SQLIntegrityConstraintViolationException: {message}\n{frames[:400]}\n"
    )


def journal(number: int) -> str:
    before = f"Nov 30 {number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} web1 app[4711]: "
    lines = (
        "Traceback (most recent call last):",
        *(f'  File "/srv/app/shop/orders_{n}.py", line {n}, in save' for n in range(12)),
        f"pymysql.err.IntegrityError: (1062, \"Duplicate entry 'u{number}@example.org' for key 'users.email'\")",
        "",
        "The above exception was the direct cause of the following exception:",
        "",
        "Traceback (most recent call last):",
        *(f'  File "/srv/app/shop/orders_{n}.py", line {n}, in save' for n in range(12)),
        "sqlalchemy.exc.IntegrityError: (pymysql.err.IntegrityError) (1062, "
        f"\"Duplicate entry 'u{number}@example.org' for key 'users.email'\")",
        "[SQL: INSERT INTO users (email) VALUES (%(email)s)]",
    )
    return "".join(f"{before}{line}\n" for line in lines)


def postgresql(number: int) -> str:
    one, other = (f"{at(number)} UTC [{4000 + (number + n) % 50}] app@shop" for n in range(2))
    return (
        f'{one} ERROR:  duplicate key value violates unique constraint "users_email_key"\n'
        f"{other} LOG:  duration: 3.112 ms\n"
        f"{one} DETAIL:  Key (email)=(u{number}@example.org) already exists.\n"
        f"{one} STATEMENT:  INSERT INTO users (email) VALUES ('u{number}@example.org')\n"
    )


def documents(number: int) -> str:
    return (
        f'{{"time":"{at(number)}","level":"ERROR","msg":"insert failed","request":"r-{number}",'
        f"\"err\":\"Error 1062 (23000): Duplicate entry 'u{number}@example.org' for key 'users.email'\"}}\n"
    )


def mariadb(number: int) -> str:
    return (
        f"{at(number)} ERROR [{number % 20}] (conn={number}) Duplicate entry '{number}' for key 'PRIMARY'\n"
        f"\tQuery is: INSERT INTO orders (id, customer) VALUES ({number}, 'c{number}')\n"
    )


def log(error: Callable[[int], str], megabytes: int, every: int) -> tuple[bytes, int]:
    """Return a log of that size, and how many errors are in it."""
    pieces: list[str] = []
    size = number = 0
    while size < megabytes * 1_000_000:
        number += 1
        text = error(number)
        pieces.append(text + quiet(number, every - len(text)))
        size += len(pieces[-1])
    return "".join(pieces).encode(), number


def cost(text: bytes, errors: int) -> float:
    """Return the median of three in seconds of processor time."""
    taken = []
    for _ in range(3):
        begun = time.process_time()
        counted = explain_log(Finished(io.BytesIO(text)), None, lambda _: None)
        taken.append(time.process_time() - begun)
        assert counted.errors == errors, (counted.errors, errors)
    return statistics.median(taken)


SURGES = {
    "one line": one_line,
    "Java stack trace": java,
    "Python, journald": journal,
    "PostgreSQL, sessions": postgresql,
    "JSON lines": documents,
    "MariaDB, PRIMARY": mariadb,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=64)
    megabytes = parser.parse_args().megabytes
    text, errors = log(one_line, megabytes, 1_000_000)
    sparse = cost(text, errors) * GIGABYTE / len(text)
    print(f"{'sparse':22} {sparse:6.1f} s/GB")
    for name, error in SURGES.items():
        text, errors = log(error, megabytes, EVERY)
        taken = cost(text, errors)
        per_gigabyte = taken * GIGABYTE / len(text)
        print(
            f"{name:22} {per_gigabyte:6.1f} s/GB  {taken / errors * 1e6:6.1f} µs an error  {per_gigabyte / sparse:5.1f} x"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"at most {peak:.0f} MB of memory, {3 * megabytes} MB of them the log itself")


if __name__ == "__main__":
    main()
