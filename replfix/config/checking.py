"""Everything that is wrong with a configuration file, and with the files that it names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from replfix import own_files
from replfix.config.read_config import Problem, examined, read_config, read_text, search_path
from replfix.config.target import Config
from replfix.config.toml_places import place_of
from replfix.core.words import counted
from replfix.errors import ConfigError


def checked(path: str | None) -> tuple[Path | None, list[Problem]]:
    """Return the file that applies and what is wrong with it; (None, …) where there is none.

    ConfigError where the file that is named cannot be read.
    """
    file = Path(path).expanduser().absolute() if path else next((f for f in search_path() if f.exists()), None)
    if file is None:
        return None, []
    text = read_text(file)
    if text is None:
        raise ConfigError(f"{file} does not exist.", "Correct the path, or write one: 'replfix config init'.")
    _, problems = examined(text)
    if not problems:
        problems = list(_beside(file, text, named=path is not None))
    return file, problems


def _beside(file: Path, text: str, *, named: bool) -> Iterator[Problem]:
    try:
        found, settings = read_config(str(file) if named else None)
    except ConfigError as error:
        yield Problem(None, error.message, error.hint)
        return
    config = Config(found, settings, named=named)
    sections = [(("replicas", name), name) for name in settings.replicas] + [
        (("sources", name), name) for name in settings.sources
    ]
    for where, name in sections:
        try:
            config.server(name)
        except ConfigError as error:
            place = place_of(text, (*where, "defaults_file")) or place_of(text, where)
            yield Problem(place, error.message, error.hint)
    for warning in config.warnings:
        yield Problem(None, warning, "")
    audit = settings.audit
    for key, names in (("key_file", (audit.key_file,)), ("verify_keys", audit.verify_keys)):
        for each in filter(None, names):
            try:
                own_files.judge(config.beside(each))
            except (OSError, own_files.Distrusted) as error:
                yield Problem(place_of(text, ("audit", key)), f"audit.{key}: {_why(error)}", _remedy(error))
    if not settings.replicas:
        servers = counted(len(settings.sources), "source")
        yield Problem(None, f"No replica is configured ({servers}).", "Add a [replicas.NAME] section.")


def _why(error: Exception) -> str:
    return error.why if isinstance(error, own_files.Distrusted) else f"{getattr(error, 'strerror', error)}."


def _remedy(error: Exception) -> str:
    return error.remedy if isinstance(error, own_files.Distrusted) else "Correct the path, or create it."
