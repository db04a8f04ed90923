"""Texts as users have them, each with what is read from it and the reason that comes first: key, table, value, code.

The files in tests/golden/explain/field are as their programs printed them, names and addresses changed.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import pytest

from replfix.core.explain.explanation import Explanation
from replfix.core.explain.forms import FORMS
from replfix.core.explain.guide.frameworks import FRAMEWORKS
from replfix.core.explain.reasons import REASONS
from replfix.core.explain.recognise import recognise
from replfix.workflow.explain.explanations import explain_text
from tests.places import GOLDEN

FIELD = GOLDEN / "explain" / "field"

# file, form, framework, key, table, value, code
TABLE: tuple[tuple[str, str, str | None, str, str | None, str | None, str | None], ...] = (
    ("04-laravel-pg-reordered.in", "PHP", "Laravel", "queue_monitor_job_id_unique", "queue_monitor", "9973", None),
    (
        "09-wordpress-german-wrapper.in",
        "PHP",
        "WordPress",
        "post_id",
        "sp_laterpay_post_views",
        "1911-2047000292555b5f7d52964074xxxxxx",
        None,
    ),
    ("12-bnote-debug.in", "plain", None, "PRIMARY", "rehearsal_contact", "6-2", None),
    (
        "13-magento-query-was.in",
        "Magento",
        "Magento",
        "URL_REWRITE_REQUEST_PATH_STORE_ID",
        "url_rewrite",
        "about-us-4",
        None,
    ),
    ("15-drush-wrapped.in", "Drupal", "Drupal", "uri", "file_managed", "", "no-value-given"),
    ("16-drupal-og-roles.in", "Drupal", "Drupal", "PRIMARY", "og_users_roles", "13-10-2", None),
    (
        "24-liquibase-mysql-add-unique.in",
        "Liquibase",
        "a migration tool",
        "WIKI_WIKIS.UK_WIKI_WIKIS_OWNER_TYPE_01",
        "community.WIKI_WIKIS",
        "janedoe-user",
        "adding-unique-key",
    ),
    ("26-flyway-1062.in", "Flyway", "a migration tool", "role.PRIMARY", "role", "1", None),
    (
        "30-mysqljs-sql-only.in",
        "mysql client",
        "the command line",
        "uniq_Rooms_MemberId_DormitoryId",
        "Rooms",
        "2-1",
        None,
    ),
    (
        "31-node-split-strings.in",
        "Node.js",
        "TypeORM",
        "IDX_97672ac88f789774dd47f7c8be",
        "users",
        "a.xxxxxxxx@example.com",
        None,
    ),
    ("32-prisma-p2002-fields.in", "Node.js", "Prisma", "", None, None, None),
    ("33-resequencing-1569.in", "Node.js", "Node.js", "PRIMARY", None, "1", "resequencing"),
    ("36-gorm2-pg.in", "Go", "gorm", "uploads_pkey", "teldrive.uploads", None, None),
    ("41-npgsql-exception-data.in", ".NET", ".NET", "PK_Core_User", "public.Core_User", None, None),
    ("47-pg-log-3lines.in", "PostgreSQL", None, "authbcrypt_pkey", "authbcrypt", "44084", None),
    ("47-pg-log-3lines.in", "PostgreSQL", None, "forgotpassword_userid_key", "forgotpassword", "121422", None),
    (
        "50-pg-copy-psql-file.in",
        "PostgreSQL",
        "the command line",
        "census_column_metadata_pkey",
        "census_column_metadata",
        "5.0, B19080005",
        "loaded-again",
    ),
    (
        "51-pg-logical-sync-copy.in",
        "PostgreSQL",
        None,
        "index_miq_servers_on_guid",
        "miq_servers",
        "ec3c2d01-105f-4cb7-8685-b23840fd63a4",
        "loaded-again",
    ),
    (
        "55-postgrex.in",
        "Ecto",
        "Ecto",
        "internal_transactions_block_hash_transaction_index_index_index",
        "internal_transactions",
        "\\xabc1, 5, 0",
        None,
    ),
    ("57-diesel-mysql.in", "plain", "Rust", "users.PRIMARY", None, "1", None),
    (
        "59-typeorm-pg-object.in",
        "Node.js",
        "TypeORM",
        "UQ_97672ac88f789774dd47f7c8be3",
        "public.users",
        "duplicate_email@example.com",
        None,
    ),
    (
        "65-slave-binary-uuid.in",
        "replication",
        None,
        "PRIMARY",
        "vspheredb.virtual_machine",
        "L\\xAC\\xF2\\x87'\n\\x87\\xB7\\xEE|\\x04]\\x06\\xAE\\xFB\\x9Aa\\x99BJ\\xE3",
        "replica-conflict",
    ),
    ("66-coordinator-only.in", "replication", None, "", None, None, "replica-error"),
    (
        "67-mariadb-gtid-slave-pos.in",
        "replication",
        None,
        "PRIMARY",
        "mysql.gtid_slave_pos",
        "0-71143",
        "replica-bookkeeping",
    ),
    (
        "68-typographic-quotes-blog.in",
        "replication",
        None,
        "PRIMARY",
        "mydatabasename.atable",
        "174465",
        "replica-conflict",
    ),
    ("69-applier-1032.in", "replication", None, "", "mb.sessions", None, "replica-error"),
    ("70-applier-1452.in", "replication", None, "", "shop.lines", None, "replica-error"),
    ("71-applier-1451.in", "replication", None, "", "shop.orders", None, "replica-error"),
    ("72-pg-german.in", "PostgreSQL", None, "users_email_key", None, "a@example.org", None),
    ("73-pg-russian-yii.in", "Yii", "Yii", "category_pkey", "module_category", "1", "sequence-behind"),
    ("74-pg-spanish.in", "JDBC", "Hibernate", "item_costo_logistico_pkey", None, "1", "sequence-behind"),
    (
        "75-pg-could-not-create-unique.in",
        "PostgreSQL",
        None,
        "users_email_key",
        None,
        "user@example.com",
        "adding-unique-key",
    ),
    ("76-pg-csvlog.in", "PostgreSQL", None, "users_email_key", "users", "o'brien@example.org", None),
    ("82-k8s-partial-lines.in", "Go", "Go", "users.email", None, "a@example.org", None),
    ("88-truncated-in-key.in", "plain", None, "orders.uq_cust", None, "12345", None),
    ("92-tidb.in", "TiDB", None, "t.PRIMARY", "t", "1", None),
    ("97-pg18-conflict.in", "PostgreSQL", None, "orders_pkey", "public.orders", "7", "subscription-conflict"),
    ("98-pg15-sub-apply.in", "PostgreSQL", None, "orders_pkey", "public.orders", "7", "subscription-conflict"),
    ("b08-ptosc.in", "plain", None, "_t_new.uq", "shop._t_new", "7", "adding-unique-key"),
    ("b10-gitlab-pg.in", "Rails", "Rails", "index_ci_x_on_project_id", "ci_x", "12", None),
    ("b17-1022.in", "plain", None, "", "#sql-1_2", None, "adding-unique-key"),
    ("b18-1859.in", "plain", None, "uq_email", None, None, "adding-unique-key"),
    ("b31-pg-restore.in", "PostgreSQL", "the command line", "users_pkey", "users", "1", "loaded-again"),
    (
        "b32-pg-restore-index.in",
        "PostgreSQL",
        "the command line",
        "users_pkey",
        "public.users",
        "1",
        "adding-unique-key",
    ),
    ("b36-truncated-in-value.in", "PHP", "PHP", "", None, "a@exam", None),
    ("b38-ellipsis-key.in", "Python", "Python", "repos_mean_repo_i", None, "26554-2017-10-27", None),
    (
        "c01-movim-emoji.in",
        "Laravel",
        "Laravel",
        "reactions_message_mid_jidfrom_emoji_unique",
        "reactions",
        "2268-test@example.org-?",
        None,
    ),
    ("c02-osu-zero.in", "Laravel", "Laravel", "PRIMARY", "osu_store.addresses", "0", "no-value-given"),
    ("c03-seahub-zero.in", "plain", None, "PRIMARY", "EmailUser", "0", "no-value-given"),
    ("c04-phpmyadmin-alter.in", "phpMyAdmin", "the command line", "PRIMARY", "log", "0", "adding-unique-key"),
    (
        "c06-joomla-alter.in",
        "Joomla",
        "PHP",
        "idx_link_old",
        "#__redirect_links",
        "http://www.example.org/Array/169-K-16-and-K-17-Support-Archive/11",
        "adding-unique-key",
    ),
    ("c15-ci3-mysql.in", "CodeIgniter", "CodeIgniter", "email", "users", "a@example.org", None),
    ("c16-cake.in", "CakePHP", "CakePHP", "email", "users", "a@example.org", None),
    ("c17-knex.in", "Knex", "Knex", "users.users_email_unique", "users", "a@example.org", None),
    ("c18-knex-pg.in", "Knex", "Knex", "users_email_unique", "public.users", "a@example.org", None),
    ("journal-bytes.json", "Go", "Go", "orders.PRIMARY", None, "5", None),
    ("mariadb-named-channel.log", "replication", None, "PRIMARY", "shop.orders", "7", "replica-conflict"),
    ("mysqld-json-sink.log", "replication", None, "orders.PRIMARY", "shop.orders", "7", "replica-conflict"),
    ("pg-insert-select.txt", "PostgreSQL", None, "orders_pkey", "orders", "5", None),
    ("pg-syslog-interleaved.log", "PostgreSQL", None, "users_email_key", None, "a0@example.org", None),
    ("pg-syslog-interleaved.log", "PostgreSQL", None, "orders_pkey", None, "0", "sequence-behind"),
    ("pg-update-sequence.txt", "PostgreSQL", None, "orders_pkey", "orders", "5", None),
    ("pg15-subscriber.log", "PostgreSQL", None, "users_email_b_key", "users", "a@example.org, 1", None),
    ("pg15-subscriber.log", "PostgreSQL", None, "t_pkey", "public.t", "7", "subscription-conflict"),
    ("pg15-subscriber.log", "PostgreSQL", None, "t_e_key", "public.t", "r9@example.org", "subscription-conflict"),
    ("pg18-subscriber.log", "PostgreSQL", None, "t_pkey", "public.t", "7", "subscription-conflict"),
    ("pg18-subscriber.log", "PostgreSQL", None, "t_e_key", "public.t", "r9@example.org", "subscription-conflict"),
    ("seed-03-exhausted.in", "SQLAlchemy", "SQLAlchemy", "small.PRIMARY", "small", "127", "counter-exhausted"),
    (
        "seed-03b-zero-no-autoinc.in",
        "SQLAlchemy",
        "SQLAlchemy",
        "failed_jobs.PRIMARY",
        "failed_jobs",
        "0",
        "no-value-given",
    ),
    ("seed-04d-emoji.in", "SQLAlchemy", "SQLAlchemy", "em.uq_w", "em", "?", None),
    ("seed-06-prefix.in", "mysql client", "the command line", "pages.uq_url", None, "https://example.org/", None),
    ("seed-10-odku-two-keys.in", "SQLAlchemy", "SQLAlchemy", "acc.uq_l", "acc", "bob", "upsert-second-key"),
    ("seed-11-update-shift.in", "SQLAlchemy", "SQLAlchemy", "sh.PRIMARY", "sh", "2", "update-shifts-keys"),
    (
        "seed-13-trigger-other-table.in",
        "SQLAlchemy",
        "SQLAlchemy",
        "audit_log.PRIMARY",
        "audit_log",
        "R1",
        "other-table-written",
    ),
    (
        "seed-14-long-cut.in",
        "mysql client",
        "the command line",
        "lg.uq_v",
        None,
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        None,
    ),
    (
        "seed-16b-add-unique-liquibase.in",
        "Liquibase",
        "a migration tool",
        "du.uc_ab",
        "shop.du",
        "1-2",
        "adding-unique-key",
    ),
    ("seed-18-temp-table.in", "mysql client", "the command line", "tt.PRIMARY", None, "1", None),
    ("seed-26-group-key.in", "mysql client", "the command line", "<group_key>", None, "5-1", "internal-table"),
    ("seed-30-sa-params.in", "SQLAlchemy", "SQLAlchemy", "users.uq_email", "users", "a@example.org", None),
    ("seed-33-two-schemas.in", "mysql client", "the command line", "users.uq_email", None, "a@example.org", None),
    ("seed-54-laravel-emoji.in", "Laravel", "Laravel", "posts.uq_title", "posts", "Hi ?", None),
    ("seed-pg-loc-de_DE.in", "Python", "Python", "users_email_b_key", None, "a@example.org, 1", None),
    ("seed-pg-loc-es_ES.in", "Python", "Python", "users_email_b_key", None, "a@example.org, 1", None),
    ("seed-pg-loc-ja_JP.in", "Python", "Python", "users_email_b_key", None, "a@example.org, 1", None),
    ("seed-pg-loc-ru_RU.in", "Python", "Python", "users_email_b_key", None, "a@example.org, 1", None),
    ("seed-pg-loc-zh_CN.in", "Python", "Python", "users_email_b_key", None, "a@example.org, 1", None),
    ("seed-pg01d-natural-int-key.in", "PostgreSQL", None, "zip_pkey", "zip", "10115", None),
    ("seed-pg06-exclusion.in", "PostgreSQL", None, "bk_d_excl", "bk", "[2026-01-03,2026-01-08)", "exclusion-overlap"),
    ("seed-pg09-weird-names.in", "PostgreSQL", None, 'we"ird, key', "My Table", "1, 2", None),
    ("seed-pg10-create-unique-index.in", "PostgreSQL", None, "du_a", "du", "1", "adding-unique-key"),
    (
        "seed-pg17-pg_type-race.in",
        "PostgreSQL",
        None,
        "pg_type_typname_nsp_index",
        "orders",
        "orders, 2200",
        "concurrent-create",
    ),
)
SAME_ON_THREE = ("pg18-seeds.csv", "pg18-seeds.log")

Row = tuple[str, str | None, str, str | None, str | None, str | None]
EXPECTED: dict[str, list[Row]] = defaultdict(list)
for row in TABLE:
    EXPECTED[row[0]].append(row[1:])


@cache
def explained(name: str) -> tuple[Explanation, ...]:
    return explain_text((FIELD / name).read_text("utf-8"), None)


def only(name: str) -> Explanation:
    (found,) = explained(name)
    return found


def texts(explanation: Explanation) -> str:
    """Everything that is printed: reasons, fixes, guidance."""
    assert explanation.guidance is not None
    guidance = explanation.guidance
    fixes = [fix for reason in explanation.reasons for fix in reason.fixes]
    fixes += [*guidance.look, *guidance.handling, *(possibility.tell for possibility in guidance.possible)]
    return "\n".join(
        (
            guidance.meaning,
            *(f"{r.summary}\n" + "\n".join(r.evidence) for r in explanation.reasons),
            *(possibility.summary for possibility in guidance.possible),
            *(line for fix in fixes for line in (fix.text, *fix.sql)),
        )
    )


def test_every_file_is_in_the_table() -> None:
    assert {path.name for path in FIELD.iterdir()} == {*EXPECTED, *SAME_ON_THREE}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_text_says(name: str) -> None:
    found = []
    for explanation in explained(name):
        duplicate = explanation.case.duplicate
        table = f"{duplicate.schema}.{duplicate.table}" if duplicate.schema and duplicate.table else duplicate.table
        code = explanation.reasons[0].code if explanation.reasons else None
        found.append((duplicate.form, duplicate.framework, duplicate.key, table, duplicate.value, code))
    assert found == EXPECTED[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_no_text_leaves_its_reader_alone(name: str) -> None:
    for explanation in explained(name):
        guidance = explanation.guidance
        assert guidance is not None
        assert guidance.meaning.endswith(".")
        assert explanation.reasons or (guidance.look and guidance.possible and guidance.handling)


def test_what_is_known_of_a_csvlog_is_what_is_known_of_the_same_log() -> None:
    csv, stderr = (recognise((FIELD / name).read_text("utf-8")) for name in SAME_ON_THREE)
    assert len(csv) == 16
    for one, other in zip(csv, stderr, strict=True):
        for field in (
            "key",
            "value",
            "columns",
            "schema",
            "table",
            "statement",
            "kind",
            "sqlstate",
            "detail",
            "context",
        ):
            assert getattr(one, field) == getattr(other, field), (one.key, field)


def test_every_framework_has_a_sample() -> None:
    samples = [*FIELD.iterdir(), *(GOLDEN / "explain").glob("*.txt")]
    found = {duplicate.framework for path in samples for duplicate in recognise(path.read_text("utf-8"))}
    assert {framework.NAME for framework in FRAMEWORKS} - found == set()
    assert len({framework.NAME for framework in FRAMEWORKS}) == len(FRAMEWORKS)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        # The collision is on a generated id: an upsert overwrites a stranger's row.
        ("seed-03-exhausted.in", "DUPLICATE KEY UPDATE changes"),
        ("57-diesel-mysql.in", "DUPLICATE KEY UPDATE changes"),
        # The text rules a sequence out: ids that came with the rows, other columns, other statements.
        *(
            (name, "setval")
            for name in (
                "47-pg-log-3lines.in",
                "98-pg15-sub-apply.in",
                "pg15-subscriber.log",
                "seed-pg01d-natural-int-key.in",
                "b31-pg-restore.in",
                "b10-gitlab-pg.in",
                "50-pg-copy-psql-file.in",
                "pg-insert-select.txt",
                "pg-update-sequence.txt",
                "73-pg-russian-yii.in",  # the constraint is another table's, by its name
                "97-pg18-conflict.in",
                "seed-pg10-create-unique-index.in",
            )
        ),
        # replfix connects to MySQL and MariaDB for these: PostgreSQL's text has nothing of --replica.
        ("72-pg-german.in", "--replica"),
    ],
)
def test_what_a_text_must_not_say(name: str, wrong: str) -> None:
    for explanation in explained(name):
        assert wrong not in texts(explanation)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("04-laravel-pg-reordered.in", "firstOrCreate"),
        ("seed-30-sa-params.in", "SELECT * FROM `users` WHERE `email` = 'a@example.org'"),
        ("seed-54-laravel-emoji.in", "WHERE `title` = 'Hi 😀'"),
        ("seed-04d-emoji.in", "all emoji as equal"),
        ("59-typeorm-pg-object.in", """SELECT * FROM "public"."users" WHERE "email" = 'duplicate_email@example.com'"""),
        ("b10-gitlab-pg.in", "RecordNotUnique"),
        ("57-diesel-mysql.in", "auto_increment_increment"),
        ("57-diesel-mysql.in", "ALTER TABLE `users` AUTO_INCREMENT"),
        ("c17-knex.in", "stranger's"),
        ("74-pg-spanish.in", "setval"),
        ("74-pg-spanish.in", "allocationSize"),
        ("97-pg18-conflict.in", "ALTER SUBSCRIPTION name SKIP (lsn = '0/1E3B1F8')"),
        ("98-pg15-sub-apply.in", "pg_16389"),
        ("b08-ptosc.in", "SELECT"),
        ("69-applier-1032.in", "replfix diagnose"),
        ("66-coordinator-only.in", "b125d82f-a2bb-11ed-bc73-16fea3664962:2"),
        ("seed-11-update-shift.in", "ORDER BY id DESC"),
        (
            "seed-16b-add-unique-liquibase.in",
            "SELECT `a`, `b`, COUNT(*) FROM `shop`.`du` GROUP BY `a`, `b` HAVING COUNT(*) > 1",
        ),
        ("c04-phpmyadmin-alter.in", "SELECT `id`, COUNT(*) FROM `log`"),
        ("c06-joomla-alter.in", "SELECT `old_url`, COUNT(*)"),
        ("75-pg-could-not-create-unique.in", "Decide"),
        ("seed-pg10-create-unique-index.in", 'SELECT "a", count(*) FROM "du"'),
        ("33-resequencing-1569.in", "NO_AUTO_VALUE_ON_ZERO"),
        ("seed-13-trigger-other-table.in", "SHOW TRIGGERS WHERE `Table` = 'ord'"),
        ("b38-ellipsis-key.in", "find the columns of the key"),
        ("41-npgsql-exception-data.in", "Include Error Detail"),
        ("67-mariadb-gtid-slave-pos.in", "no row of an application"),
    ],
)
def test_what_a_text_says_of_what_to_do(name: str, wanted: str) -> None:
    assert any(wanted.casefold() in texts(explanation).casefold() for explanation in explained(name))


@pytest.mark.parametrize(
    ("name", "cut", "truncated"),
    [
        ("88-truncated-in-key.in", False, True),
        ("b36-truncated-in-value.in", True, True),
        ("b38-ellipsis-key.in", False, True),
        ("seed-14-long-cut.in", True, False),
        ("82-k8s-partial-lines.in", False, False),
    ],
)
def test_what_is_cut_is_named(name: str, cut: bool, truncated: bool) -> None:
    duplicate = only(name).case.duplicate
    assert (duplicate.cut, duplicate.truncated) == (cut, truncated)


@pytest.mark.parametrize(
    ("name", "columns", "rows"),
    [
        ("seed-30-sa-params.in", ("email", "name"), [("a@example.org", "Ann")]),
        ("16-drupal-og-roles.in", ("uid", "rid", "gid", "group_type"), [("13", "10", "2", "node")]),
        ("12-bnote-debug.in", (), [("6", "7"), ("6", "4"), ("6", "2"), ("6", "5")]),
        ("26-flyway-1062.in", ("id", "name"), [("1", "admin")]),
    ],
)
def test_statements_are_read_with_their_parameters(
    name: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]
) -> None:
    said = only(name).case.insert
    assert said is not None
    assert said.columns == columns
    assert [tuple(item.known_text for item in row) for row in said.rows] == rows


def test_every_form_and_reason_of_texts_is_named_in_the_table() -> None:
    """What only a text shows has a text here; what a server has to be asked for is staged on one."""
    asked = {
        "counter-behind", "equal-by-collation", "prefix-key", "same-insert-again", "expression-key", "ids-from-two-sides",
        "no-row-now", "value-taken", "composite-key", "repeated-in-statement", "cascade-collides",
        "nulls-not-distinct", "deferred-constraint", "invalid-index",
    }  # fmt: skip
    codes = {row[6] for row in TABLE}
    assert {reason.CODE for reason in REASONS} - asked == codes - {None}
    samples = {row[1] for row in TABLE}
    assert {form.NAME for form in FORMS} - samples <= {
        "Laravel",
        "mysqld log",
        "mysql client",
        "Python",
        "Rails",
        ".NET",
        "JDBC",
    }
