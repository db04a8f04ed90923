"""Commands that have commands: a name that is not there gets the likely one."""

from __future__ import annotations

import click

from replfix.core.words import suggestion
from replfix.errors import UsageError


class CommandGroup(click.Group):
    """A group that says which command may have been meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments begin with. UsageError lists the commands, the likely one first."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            raise UsageError(
                f"There is no command {name[:60]!r}.", suggestion(name, self.list_commands(ctx), "Commands")
            )
        return super().resolve_command(ctx, args)
