from replfix.core.explain.around import Around
from replfix.core.explain.duplicate import Product


def framework_of(form: str, around: Around, dialect: Product) -> str | None:
    return None
