"""Random tables: primary keys of all kinds and none, unique keys of all kinds, foreign keys with every rule."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.convergence.kinds import KINDS, NUMBERED, Kind

SCHEMA = "conv"
_NAMES = ("t{}", "T {}", "we`ird.{}", "ä'{}", "select{}")
_RULES = ("RESTRICT", "RESTRICT", "NO ACTION", "CASCADE", "SET NULL")


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind
    nullable: bool
    counts: bool = False  # AUTO_INCREMENT
    generated: str = ""

    @property
    def ddl(self) -> str:
        if self.generated:
            return f"{quoted(self.name)} {self.kind.type} GENERATED ALWAYS AS {self.generated}"
        null = "NULL" if self.nullable else "NOT NULL"
        type_ = self.kind.type.removesuffix(" NULL")
        return f"{quoted(self.name)} {type_} {null}" + (" AUTO_INCREMENT" if self.counts else "")


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key to what names the rows of ``parent``."""

    columns: tuple[str, ...]
    parent: str
    on_delete: str
    on_update: str

    @property
    def passes_on(self) -> bool:
        return not {self.on_delete, self.on_update} <= {"RESTRICT", "NO ACTION"}


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    identity: tuple[str, ...]  # columns of the key that names its rows; none: all values do
    primary: bool
    uniques: tuple[str, ...] = ()  # what stands in the parentheses of UNIQUE KEY
    references: tuple[Reference, ...] = ()
    columns_of_parent: tuple[tuple[str, ...], ...] = ()  # of each reference
    partitions: str = ""  # what stands behind the table's options

    @property
    def sql(self) -> str:
        return f"{SCHEMA}.{quoted(self.name)}"

    @property
    def written(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if not column.generated)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def ddl(self) -> str:
        parts = [column.ddl for column in self.columns]
        if self.identity:
            inner = ", ".join(key_part(self.column(name)) for name in self.identity)
            parts.append(f"PRIMARY KEY ({inner})" if self.primary else f"UNIQUE KEY the_rows ({inner})")
        parts += [f"UNIQUE KEY u{number} ({inner})" for number, inner in enumerate(self.uniques)]
        for reference, theirs in zip(self.references, self.columns_of_parent, strict=True):
            parts.append(
                f"FOREIGN KEY ({', '.join(map(quoted, reference.columns))}) REFERENCES {quoted(reference.parent)} "
                f"({', '.join(map(quoted, theirs))}) ON DELETE {reference.on_delete} ON UPDATE {reference.on_update}"
            )
        return f"CREATE TABLE {self.sql} ({', '.join(parts)}) ENGINE=InnoDB{self.partitions}"


def key_part(column: Column) -> str:
    return quoted(column.name) + (f"({column.kind.prefix})" if column.kind.prefix else "")


class Drawing:
    """Draws random tables for one product. The server may refuse one that is drawn: then another is."""

    def __init__(self, rng: random.Random, product: str, *, partitions: bool = False) -> None:
        self._rng = rng
        self._partitions = partitions
        self._product = product
        kinds = [kind for kind in KINDS if product in kind.of]
        self._kinds = kinds
        self._of_keys = [kind for kind in kinds if kind.in_keys]

    def table(self, number: int, earlier: Sequence[Table]) -> Table:
        rng = self._rng
        table = self._named_rows(rng.choice(_NAMES).format(number) if rng.random() < 0.2 else f"t{number}")
        # Where no key names the rows, none may do so by chance: a unique key of columns that are never NULL would.
        sure = 0.2 if table.identity else 0
        more = [
            Column(f"c{n}", rng.choice(self._kinds), nullable=rng.random() >= sure) for n in range(rng.randint(1, 5))
        ]
        columns = [*table.columns, *more]
        if rng.random() < 0.15:
            rng.shuffle(columns)
        table = replace(table, columns=tuple(columns))
        for parent in (table, *earlier):
            if (
                parent.identity
                and not parent.partitions
                and len(table.references) < 2
                and rng.random() < (0.12 if parent is table else 0.35)
            ):
                table = self._referencing(table, parent)
        if rng.random() < 0.25:
            table = self._generating(table)
        uniques = tuple(inner for _ in range(rng.choice((0, 1, 1, 2, 3))) if (inner := self._unique(table)))
        table = replace(table, uniques=tuple(dict.fromkeys(uniques)))
        if self._partitions and table.identity and not table.references and rng.random() < 0.25:
            return self._partitioned(table)
        return table

    def _partitioned(self, table: Table) -> Table:
        """Every unique key has to hold the columns by which rows are parted, and nobody may reference such a table."""
        rng = self._rng
        by = table.identity[0]
        ranges = ", ".join(f"PARTITION p{most} VALUES LESS THAN ({most})" for most in (4, 8, "MAXVALUE"))
        way = (
            f"RANGE ({quoted(by)}) ({ranges})"
            if table.column(by).kind is NUMBERED
            else f"KEY ({quoted(by)}) PARTITIONS 3"
        )
        uniques = tuple(u if quoted(by) in u else f"{u}, {quoted(by)}" for u in table.uniques)
        return replace(
            table,
            uniques=uniques,
            partitions=f" PARTITION BY {way if rng.random() < 0.7 else f'KEY ({quoted(by)}) PARTITIONS 2'}",
        )

    def _named_rows(self, name: str) -> Table:
        rng = self._rng
        way = rng.choice(("counts", "counts", "single", "single", "composite", "composite", "unique", "none"))
        if way == "none":
            return Table(name, (), (), False)
        if way == "counts":
            return Table(name, (Column("id", NUMBERED, nullable=False, counts=True),), ("id",), True)
        whole = [kind for kind in self._of_keys if not kind.prefix]
        kinds = [rng.choice(whole) for _ in range(rng.choice((2, 2, 3)) if way == "composite" else 1)]
        columns = tuple(Column(f"k{n}", kind, nullable=False) for n, kind in enumerate(kinds))
        return Table(name, columns, tuple(column.name for column in columns), way != "unique")

    def _referencing(self, table: Table, parent: Table) -> Table:
        rng = self._rng
        on_delete, on_update = rng.choice(_RULES), rng.choice(_RULES)
        nullable = "SET NULL" in (on_delete, on_update) or rng.random() < 0.6 or parent.name == table.name
        nullable = nullable or not table.identity
        number = len(table.references)
        theirs = [parent.column(name) for name in parent.identity]
        ours = tuple(Column(f"f{number}{n}", column.kind, nullable) for n, column in enumerate(theirs))
        reference = Reference(tuple(column.name for column in ours), parent.name, on_delete, on_update)
        return replace(
            table,
            columns=(*table.columns, *ours),
            references=(*table.references, reference),
            columns_of_parent=(*table.columns_of_parent, parent.identity),
        )

    def _generating(self, table: Table) -> Table:
        rng = self._rng
        base = rng.choice(table.columns)
        name, stored = quoted(base.name), rng.choice(("VIRTUAL", "STORED"))
        column = Column("g", Kind("BIGINT", ()), True, generated=f"(CHAR_LENGTH({name}) % 3) {stored}")
        return replace(table, columns=(*table.columns, column))

    def _unique(self, table: Table) -> str:
        rng = self._rng
        usable = [column for column in table.columns if column.kind.in_keys]
        if not usable:
            return ""
        if self._product == "MySQL" and rng.random() < 0.15:
            column = rng.choice(usable)
            return f"(CONCAT(CHAR_LENGTH({quoted(column.name)}), 'x')), {key_part(rng.choice(usable))}"
        chosen = rng.sample(usable, min(len(usable), rng.choice((1, 1, 2))))
        return ", ".join(self._part(column) for column in chosen)

    def _part(self, column: Column) -> str:
        rng = self._rng
        if "VARCHAR" in column.kind.type and rng.random() < 0.3:
            return f"{quoted(column.name)}(1)"
        return key_part(column) + rng.choice(("", "", "", " DESC"))
