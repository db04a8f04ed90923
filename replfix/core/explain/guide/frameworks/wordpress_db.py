"""PHP: WordPress."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "WordPress"
FORMS: frozenset[str] = frozenset()
MARKS: tuple[str, ...] = ("WordPress", "wpdb", "wp-includes", "wp-content")

HANDLING = Handling(
    catch="$wpdb->insert() returns false and $wpdb->last_error has this text: read the row that is there.",
    upsert="$wpdb->query( $wpdb->prepare( INSERT … ON DUPLICATE KEY UPDATE … ) ). $wpdb->replace() deletes the existing row and inserts: columns that are not given are lost.",
    seeds="An import that lost AUTO_INCREMENT is frequent here: the value is 0 then, and the next insert collides with it.",
)
