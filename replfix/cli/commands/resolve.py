"""``replfix resolve``."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from replfix.cli.confirm_by_name import NO_TERMINAL, typed
from replfix.cli.options import ReplicaSelector, common_options, replica_options
from replfix.cli.output import emit, narrate, print_page

if TYPE_CHECKING:
    from replfix.core.diagnosis.diagnosis import Diagnosis
    from replfix.core.plan.outcome import Outcome
    from replfix.core.plan.plan import Plan

DEFAULT_ROUNDS = 20


def _strategies(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from replfix.core.conclude import strategy_names

    return [name for name in strategy_names() if name.startswith(incomplete)]


@click.command(
    "resolve",
    epilog="""\b
Examples:
  replfix resolve db2 --dry-run          rehearse on the replica, and roll it back
  replfix resolve db2                    shows the plan and asks
  replfix resolve db2 --yes --json       for automation
  replfix resolve db2 --strategy keep-both --dry-run      which rows the source would get, and under which keys
  replfix resolve db2 --strategy skip --dry-run      what would be lost, were it left out
\b
Exit codes: 0 resolved, or nothing to do · 3 dry run: a conflict was found; or all that was done is verified, and a later
transaction waits · 4 not done, nothing changed · 5 something was changed and not everything is verified · 6 cannot connect, or a privilege is missing""",
)
@replica_options
@click.option(
    "--strategy",
    default="source-wins",
    show_default=True,
    metavar="NAME",
    shell_complete=_strategies,
    help="How to resolve: source-wins restores the state that the failing transaction expects; keep-both and replica-wins "
    "then write the displaced rows on the source, under a new key or over what is there; skip leaves that one "
    "transaction out. Only source-wins is ever chosen by itself.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Plan and rehearse on the replica; everything is rolled back. super_read_only is off meanwhile, and put back.",
)
@click.option("--yes", is_flag=True, help="Do not ask; without it and without a terminal the command refuses.")
@click.option(
    "--max-rounds",
    type=click.IntRange(min=1),
    default=DEFAULT_ROUNDS,
    show_default=True,
    help="How many rounds: each is about the failing transaction and those after it that are planned with it.",
)
@click.option(
    "--no-ahead",
    is_flag=True,
    help="Plan for the failing transaction alone; without it, source-wins plans the conflicts together that wait after it.",
)
@click.option(
    "--all", "show_all", is_flag=True, help="Show every row and statement before the question, not the first few."
)
@common_options
def command(
    meant: ReplicaSelector,
    strategy: str,
    dry_run: bool,
    yes: bool,
    max_rounds: int,
    no_ahead: bool,
    show_all: bool,
    config_path: str | None,
    as_json: bool,
    verbose: bool,
) -> int:
    """Repair a stopped replica and start it again.

    Plans the repair, lets the replica rehearse it together with the failing transaction, records every displaced row,
    applies the plan in one transaction that is not logged, lets the replica apply the failing transaction itself,
    compares its rows with the event, and starts the channel. Again, when it stops on the next transaction.

    Looks ahead: transactions after the failing one that would stop the applier too are planned with it, rehearsed with
    it and covered by one record, as far as they are plain rows of tables that fit.
    """
    from replfix.cli.documents.resolution import resolution_document
    from replfix.cli.interrupts import end_on_sigterm, wait_for_a_safe_point
    from replfix.cli.open_servers import open_target, trail_to_write
    from replfix.config import load
    from replfix.wiring import trails
    from replfix.workflow.resolution import check_strategy, resolve

    check_strategy(strategy)
    config = load(config_path)
    end_on_sigterm()

    def quiet(_: object) -> None:
        return

    with open_target(config, meant) as wired, trail_to_write(config) as trail:
        outcome = resolve(
            trails.operation(wired, trail, quiet if as_json and not verbose else narrate, wait_for_a_safe_point),
            strategy=strategy,
            channel=wired.target.channel,
            max_rounds=max_rounds,
            dry_run=dry_run,
            confirm=(lambda *_: True) if yes else ConfirmPlan(wired.target.name, whole=show_all),
            ahead=not no_ahead,
        )
        if as_json:
            emit(resolution_document(wired.target.name, outcome))
        else:
            from replfix.present.page.outcome_page import resolution_page

            print_page(resolution_page(wired.target.name, outcome))
    return exit_code(outcome)


class ConfirmPlan:
    """The question before a plan is applied, under the diagnosis; the default is no."""

    def __init__(self, name: str, *, whole: bool = False) -> None:
        self._name = name
        self._whole = whole

    def __call__(self, diagnosis: Diagnosis, plan: Plan) -> bool:
        """Show the plan and ask; return whether it is to be applied. NotDone without a terminal to ask at."""
        from replfix.errors import NotDone
        from replfix.present.page.confirmation_page import REPEATED, confirmation_page, question, type_to_apply
        from replfix.present.page.detail import ASKING, BRIEF, WHOLE
        from replfix.present.page.incident_page import incident_page
        from replfix.present.page.page_model import Page, plain
        from replfix.present.page.plan_page import plan_sections

        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise NotDone(
                f"The plan {plan.digest[:12]} for {plan.covers} needs a confirmation, and there is no terminal to ask at.",
                NO_TERMINAL,
            )
        detail = WHOLE if self._whole else ASKING if plan.run is not None else BRIEF
        print_page(incident_page(self._name, diagnosis, detail=detail), stderr=True)
        if plan.by_name_only:
            click.echo("", err=True)
            print_page(Page(tuple(plan_sections(plan, detail=detail))), stderr=True)
        click.echo("", err=True)
        print_page(
            confirmation_page(plan, detail if self._whole else replace(detail, statements=REPEATED.statements)),
            stderr=True,
        )
        if not plan.by_name_only:
            return click.confirm(question(self._name), default=False, err=True)
        return typed(plain(type_to_apply(plan)), plan.named_by)


def exit_code(outcome: Outcome) -> int:
    """Return the exit code for an outcome: 5 where something was changed and not everything is verified."""
    from replfix.core.plan.outcome import Result

    if outcome.result is Result.REHEARSED:
        return 3
    if outcome.result in (Result.RESOLVED, Result.NOTHING_TO_DO):
        return 0
    if outcome.result is Result.FAILED or not outcome.changed:
        return 5 if outcome.result is Result.FAILED else 4
    return 3 if all(round_.verified for round_ in outcome.rounds) else 5
