"""PHP: Magento."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Magento"
FORMS: frozenset[str] = frozenset(("Magento",))
MARKS: tuple[str, ...] = ("Magento",)

HANDLING = Handling(
    catch="Catch \\Magento\\Framework\\DB\\Adapter\\DuplicateException (AlreadyExistsException in resource models) and read the row that is there.",
    upsert="$connection->insertOnDuplicate($table, $data, $fields): ON DUPLICATE KEY UPDATE, where every unique key of the table counts.",
    ignore="$connection->insertArray(…, AdapterInterface::INSERT_IGNORE) leaves existing rows, and turns other errors into warnings too.",
    seeds="url_rewrite: two products or categories of one store have the same URL key, or a rewrite of a deleted one was left.",
)
