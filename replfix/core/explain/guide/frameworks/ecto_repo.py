"""Elixir: Ecto."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Ecto"
FORMS: frozenset[str] = frozenset(("Ecto",))
MARKS: tuple[str, ...] = ("Ecto.", "ecto_", "Postgrex", "MyXQL")

HANDLING = Handling(
    catch="unique_constraint(changeset, :field, name: :constraint) turns this error into one of the changeset.",
    upsert="Repo.insert(on_conflict: {:replace, fields}, conflict_target: columns). MySQL takes no conflict_target: every unique key of the table counts.",
    ignore="Repo.insert(on_conflict: :nothing) leaves the existing row.",
    seeds="priv/repo/seeds.exs that ran twice: insert with on_conflict: :nothing.",
)
