"""Pages outside docs/ on the site, links to and from them, and the navigation. In the repository they are links between
files."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

OUTSIDE = {
    "README.md": "about.md",
    "CHANGELOG.md": "changelog.md",
    "docker/README.md": "docker.md",
    ".github/CONTRIBUTING.md": "contributing.md",
    ".github/SECURITY.md": "security.md",
}
"""By the path in the repository, the page of the site."""

FIRST = ("README", "runbook", "faq", "tui", "privileges", "configuration", "automation", "safety", "glossary")
FOLDERS = ("commands", "errors", "causes", "strategies", "reference", "decisions")
"""The navigation: the first pages, every other one of docs/, then the folders, then the pages from outside."""

_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)(?=[)#])")
_LINE_OF_LICENCE = re.compile(r"\[([^]]*)\]\((?:\.\./)*LICENSE\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    docs = Path(config.docs_dir)
    others = sorted(page.stem for page in docs.glob("*.md") if page.stem not in FIRST)
    folders = [{folder.capitalize(): _of_folder(docs, folder)} for folder in FOLDERS]
    config.nav = [*(f"{page}.md" for page in (*FIRST, *others)), *folders, *OUTSIDE.values()]
    return config


def _of_folder(docs: Path, folder: str) -> list[str]:
    """Return its pages, the index first."""
    pages = sorted((docs / folder).glob("*.md"), key=lambda page: (page.stem != "README", page.stem))
    return [page.relative_to(docs).as_posix() for page in pages]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    root = posixpath.dirname(config.config_file_path)
    for path, page in OUTSIDE.items():
        with open(posixpath.join(root, path), encoding="utf-8") as file:
            files.append(File.generated(config, page, content=file.read()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    on_site = page.file.src_uri
    in_repository = next((path for path, made in OUTSIDE.items() if made == on_site), f"docs/{on_site}")

    def linked(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(in_repository), match[1]))
        to = OUTSIDE.get(target, target.removeprefix("docs/"))
        return posixpath.relpath(to, posixpath.dirname(on_site) or ".")

    return _LINK.sub(linked, _LINE_OF_LICENCE.sub(r"\1", markdown))
