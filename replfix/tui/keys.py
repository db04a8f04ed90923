"""Keys that the configuration gives to actions: known, possible, and each for one action of a screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import Keys

from replfix.core.words import nearest
from replfix.errors import ConfigError

_MODIFIERS = {"ctrl", "shift", "alt", "super", "meta", "hyper"}
_NAMES = {key.value for key in Keys} | {f"f{n}" for n in range(1, 25)} | {"full_stop", "slash", "question_mark"}


def key_of(app: App[Any], action: str, default: str) -> str:
    """Return the key of that action, for a sentence on a screen: the configured one, else the default."""
    given: Mapping[str, str] = getattr(app, "configured_keys", {})
    return given.get(action, default).partition(",")[0]


def bindings_of(node: type[DOMNode]) -> Iterator[Binding]:
    """Yield the bindings of a class that have a name, those of the classes that it is made from too."""
    for each in reversed(node.__mro__):
        for binding in each.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id is not None:
                yield binding


def check_keys(keys: Mapping[str, str], screens: Sequence[type[DOMNode]], app: type[DOMNode]) -> dict[str, str]:
    """Return the keys as Textual takes them. ConfigError for an unknown action, no key, or one key for two actions.

    ``screens``: all classes with bindings; a key of the app counts on each of them.
    """
    known = {str(binding.id) for node in (*screens, app) for binding in bindings_of(node)}
    for action, given in keys.items():
        if action not in known:
            near = nearest(action, sorted(known))
            raise ConfigError(
                f"[tui.keys] names no action: {action[:80]}.",
                f"Did you mean {near}?" if near else "'replfix help tui' lists the actions.",
            )
        for key in given.split(","):
            _check(action, key.strip())
    wanted = {action: ",".join(key.strip() for key in given.split(",")) for action, given in keys.items()}
    for node in screens:
        _check_clashes(wanted, [*bindings_of(node), *bindings_of(app)])
    return wanted


def _check(action: str, key: str) -> None:
    *modifiers, name = key.split("+") if len(key) > 1 else [key]
    if set(modifiers) <= _MODIFIERS and ((len(name) == 1 and name.isprintable() and name != " ") or name in _NAMES):
        return
    raise ConfigError(
        f"[tui.keys] {action}: there is no key {key[:40]!r}.",
        'Write a character, or a name such as f5, ctrl+r or pageup; several with commas: "r,f5".',
    )


def _check_clashes(wanted: Mapping[str, str], bindings: Sequence[Binding]) -> None:
    taken: dict[str, str] = {}
    for binding in sorted(bindings, key=lambda each: str(each.id) in wanted):
        action = str(binding.id)
        for key in wanted.get(action, binding.key).split(","):
            other = taken.setdefault(_normal(key), action)
            if other != action and action in wanted:
                raise ConfigError(
                    f"[tui.keys] gives the key {key!r} to {action}, and {other} has it on the same screen.",
                    f"Give {other} another key too.",
                )


def _normal(key: str) -> str:
    return {"slash": "/", "question_mark": "?", "full_stop": "."}.get(key, key)
