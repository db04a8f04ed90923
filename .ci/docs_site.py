"""Pages outside docs/ on the site, and links to and from them. In the repository they are links between files."""

from __future__ import annotations

import posixpath
import re

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

OUTSIDE = {
    "README.md": "about.md",
    "CHANGELOG.md": "changelog.md",
    ".github/CONTRIBUTING.md": "contributing.md",
    ".github/SECURITY.md": "security.md",
}
"""By the path in the repository, the page of the site."""

_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)(?=[)#])")
_LINE_OF_LICENCE = re.compile(r"\[([^]]*)\]\((?:\.\./)*LICENSE\)")


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
