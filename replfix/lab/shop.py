"""The shop whose replication the scenarios break: a few tables as they are found everywhere, with some rows in them.

There are no foreign keys and no triggers here; scenarios that are about those bring their own.
"""

from __future__ import annotations

from replfix.lab.replicate import transaction
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session

SCHEMA = "shop"

_TABLES = (
    """
    CREATE TABLE shop.customers (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        email VARCHAR(190) NOT NULL,
        name VARCHAR(100) NOT NULL,
        city VARCHAR(60) NULL,
        newsletter TINYINT(1) NOT NULL DEFAULT 0,
        created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
        UNIQUE KEY email (email)
    )
    """,
    """
    CREATE TABLE shop.orders (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        order_no VARCHAR(20) NOT NULL,
        customer_id INT UNSIGNED NOT NULL,
        amount DECIMAL(10,2) NOT NULL,
        status ENUM('new', 'paid', 'shipped', 'cancelled') NOT NULL DEFAULT 'new',
        note TEXT NULL,
        created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
        UNIQUE KEY order_no (order_no),
        KEY customer (customer_id)
    )
    """,
    """
    CREATE TABLE shop.order_lines (
        order_id BIGINT UNSIGNED NOT NULL,
        line_no SMALLINT UNSIGNED NOT NULL,
        sku VARCHAR(32) NOT NULL,
        quantity INT NOT NULL,
        price DECIMAL(10,2) NOT NULL,
        discount DOUBLE NULL,
        gift_text VARCHAR(200) NULL,
        PRIMARY KEY (order_id, line_no)
    )
    """,
    """
    CREATE TABLE shop.payments (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        reference CHAR(12) NOT NULL,
        order_id BIGINT UNSIGNED NOT NULL,
        amount DECIMAL(12,2) NOT NULL,
        token VARBINARY(16) NULL,
        paid_at DATETIME NOT NULL,
        UNIQUE KEY reference (reference)
    )
    """,
    """
    CREATE TABLE shop.stock (
        sku VARCHAR(32) NOT NULL PRIMARY KEY,
        title VARCHAR(120) NOT NULL,
        quantity INT NOT NULL,
        reserved INT NOT NULL DEFAULT 0,
        counted_on DATE NULL
    )
    """,
)

_ROWS = (
    """
    INSERT INTO shop.customers (id, email, name, city, newsletter, created_at) VALUES
        (1, 'ana@example.com', 'Ana Sousa', 'Setúbal', 1, '2026-01-12 08:15:00'),
        (2, 'jose@example.com', 'José Peña', 'A Coruña', 0, '2026-02-03 17:40:21'),
        (3, 'li@example.com', '李小龍', '香港', 1, '2026-02-20 02:00:59'),
        (4, 'grace@example.com', 'Grace O''Malley 🛳', NULL, 0, '2026-03-01 12:00:00')
    """,
    """
    INSERT INTO shop.orders (id, order_no, customer_id, amount, status, note, created_at) VALUES
        (1, 'A-1001', 1, 19.90, 'shipped', NULL, '2026-03-02 09:30:00.125'),
        (2, 'A-1002', 2, 240.00, 'shipped', 'leave at the neighbour''s', '2026-03-02 10:02:41.007'),
        (3, 'A-1003', 3, 7.50, 'paid', '請小心輕放', '2026-03-03 23:59:59.999'),
        (4, 'A-1004', 1, 1249.00, 'new', 'call before delivery ☎', '2026-03-04 08:00:00.000')
    """,
    """
    INSERT INTO shop.order_lines (order_id, line_no, sku, quantity, price, discount, gift_text) VALUES
        (1, 1, 'MUG-RED', 2, 9.95, NULL, NULL),
        (2, 1, 'LAMP-07', 1, 210.00, 0.1, 'Für Mama ❤'),
        (2, 2, 'BULB-E27', 6, 5.00, NULL, NULL),
        (3, 1, 'TEA-OOLONG', 1, 7.50, NULL, ''),
        (4, 1, 'DESK-OAK', 1, 1249.00, 0.0, NULL)
    """,
    """
    INSERT INTO shop.payments (id, reference, order_id, amount, token, paid_at) VALUES
        (1, 'PAY-00000001', 1, 19.90, 0x00FF10A7, '2026-03-02 09:31:12'),
        (2, 'PAY-00000002', 2, 240.00, 0xDEADBEEF27, '2026-03-02 10:03:00'),
        (3, 'PAY-00000003', 3, 7.50, NULL, '2026-03-04 00:00:02')
    """,
    """
    INSERT INTO shop.stock (sku, title, quantity, reserved, counted_on) VALUES
        ('MUG-RED', 'Mug, red', 120, 2, '2026-03-01'),
        ('LAMP-07', 'Lampe «Nuit»', 14, 1, '2026-03-01'),
        ('BULB-E27', 'Bulb E27, 8 W', 640, 6, '2026-02-15'),
        ('TEA-OOLONG', '烏龍茶 100 g', 33, 1, NULL),
        ('DESK-OAK', 'Desk, oak', 3, 1, '2026-03-01')
    """,
)


def open_shop(lab: Lab) -> None:
    """Make the shop anew on the source and wait until every replica has it."""
    with lab.source.session() as source:
        source.execute("DROP DATABASE IF EXISTS shop")
        source.execute("CREATE DATABASE shop CHARACTER SET utf8mb4")
        for table in _TABLES:
            source.execute(table)
        transaction(source, *_ROWS)
    lab.wait_until_applied()


def on_source(lab: Lab, *statements: str) -> None:
    """Do what an application does on the source: one transaction, with a few of its neighbours untouched."""
    session: Session
    with lab.source.session() as session:
        transaction(session, *statements)
