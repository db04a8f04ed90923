"""PHP: Yii."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Yii"
FORMS: frozenset[str] = frozenset(("Yii",))
MARKS: tuple[str, ...] = ("yii\\", "Yii")

HANDLING = Handling(
    catch="Catch yii\\db\\IntegrityException and read the row that is there. The unique validator only looks before the insert.",
    upsert="Yii::$app->db->createCommand()->upsert(table, insert columns, update columns): on MySQL ON DUPLICATE KEY UPDATE, where every unique key counts.",
    sequence="Yii::$app->db->createCommand()->resetSequence('table') moves a sequence.",
)
