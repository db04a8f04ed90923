"""``replfix schema``."""

from __future__ import annotations

import json
import sys

import click

from replfix.cli.options import common_options


@click.command("schema", epilog="\b\nExamples:\n  replfix schema\n  replfix schema diagnosis > diagnosis.schema.json")
@click.argument("document", required=False)
@common_options
def command(document: str | None, config_path: str | None, as_json: bool, verbose: bool) -> None:  # noqa: ARG001
    """Print the JSON Schema of every document, or of one: DOCUMENT is its name, such as 'diagnosis'."""
    from replfix.core.words import suggestion
    from replfix.errors import UsageError

    schemas = all_schemas()
    if document is not None:
        wanted = document.removeprefix("replfix.").partition("/")[0]
        if wanted not in schemas:
            raise UsageError(f"No document {document!r}.", suggestion(wanted, schemas, "Documents"))
        json.dump(schemas[wanted], sys.stdout, indent=2)
    else:
        json.dump({"schema": "replfix.schema/1", "documents": schemas}, sys.stdout, indent=2)
    click.echo()


def all_schemas() -> dict[str, object]:
    """Return each JSON Schema by the name of the document, without ``replfix.`` and version."""
    from replfix.cli import documents
    from replfix.cli.documents.base import Document

    found: dict[str, object] = {}
    for module in documents.every():
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, Document) and thing.__module__ == module.__name__:
                name = thing.model_fields.get("schema_name")
                if name is not None:
                    schema = thing.model_json_schema(by_alias=True, mode="serialization")
                    found[str(name.default).removeprefix("replfix.").partition("/")[0]] = schema
    return dict(sorted(found.items()))
