"""One generated function for each form that the images of a table take.

Most of a decoder's time goes into deciding again and again what a table map has decided once. So the decisions become
the text of a function: columns of a fixed size next to each other are one ``struct`` read, the length of the next one
included. The text is made of positions, sizes and NULL bits alone; no name and no value of a table is ever in it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from replfix.core.rows.row_values import NOT_LOGGED, RowImage, Value

ImageDecode = Callable[[bytes, int], tuple[RowImage, int]]
"""The row's values and the position after it. It does not look for the end of the bytes: a position past it means
that the row is cut short, and so does a :class:`struct.error` or an :class:`IndexError`."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value of one size: what ``struct`` makes of its bytes (little-endian, one item), and what that means."""

    form: str
    meaning: Callable[[Any], Value] | None = None  # None: the item is the value

    @property
    def size(self) -> int:
        """The number of bytes."""
        return struct.calcsize(f"<{self.form}")


@dataclass(frozen=True, slots=True)
class Sized:
    """Bytes after their length, which takes ``prefix`` bytes itself."""

    prefix: int  # 1 to 4
    meaning: Callable[[bytes], Value] | None = None  # None: the bytes are the value


Form = Fixed | Sized

_PREFIXES = {1: "B", 2: "H", 3: "3s", 4: "I"}


@dataclass(frozen=True, slots=True)
class Part:
    """A column of an image.

    ``form`` is None for one that is not in the image; one that is not ``wanted`` is passed over. Both come out as
    ``NOT_LOGGED``.
    """

    form: Form | None
    wanted: bool = True


def compiled(parts: Sequence[Part]) -> ImageDecode:
    """Return the decoder of the images that have these columns. Only columns in the image have a NULL bit."""
    return _Writer(parts).function()


class _Writer:
    """The text of one function, and the objects that it refers to by number."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.names: dict[str, Any] = {"NOT_LOGGED": NOT_LOGGED, "number": int.from_bytes}
        self.lines = ["def image(data, at):"]

    def function(self) -> ImageDecode:
        held = [(number, part.form, part.wanted) for number, part in enumerate(self.parts) if part.form is not None]
        values = "".join(
            f"v{number}, " if part.form is not None and part.wanted else "NOT_LOGGED, "
            for number, part in enumerate(self.parts)
        )
        width = (len(held) + 7) // 8
        bits = "data[at]" if width == 1 else f"number(data[at:at + {width}], 'little')"
        # The bits after the last column are set by some servers and mean nothing.
        self.write(1, f"nulls = {bits} & {(1 << len(held)) - 1}", f"at += {width}", "if not nulls:")
        self.without_nulls(held)
        self.write(2, f"return ({values}), at")
        self.with_nulls(held)
        self.write(1, f"return ({values}), at")
        exec(compile("\n".join(self.lines), "<rows of a table>", "exec"), self.names)  # noqa: S102 - see above
        image: ImageDecode = self.names["image"]
        return image

    def without_nulls(self, held: Sequence[tuple[int, Form, bool]]) -> None:
        run = _Run()
        for number, form, wanted in held:
            if isinstance(form, Fixed):
                if wanted:
                    run.item(f"v{number}", form.form)
                    if form.meaning is not None:
                        run.then.append(f"v{number} = {self.named(form.meaning)}(v{number})")
                else:
                    run.skip(form.size)
                continue
            run.item("size", _PREFIXES[form.prefix])
            self.write(2, *self.read(run))
            run = _Run()
            self.write(2, *self.sized(number, form, wanted))
        self.write(2, *self.read(run))

    def with_nulls(self, held: Sequence[tuple[int, Form, bool]]) -> None:
        for bit, (number, form, wanted) in enumerate(held):
            if wanted:
                self.write(1, f"if nulls & {1 << bit}: v{number} = None", "else:")
            else:
                self.write(1, f"if not nulls & {1 << bit}:")
            run = _Run()
            if isinstance(form, Sized):
                run.item("size", _PREFIXES[form.prefix])
                self.write(2, *self.read(run), *self.sized(number, form, wanted))
            elif wanted:
                run.item(f"v{number}", form.form)
                if form.meaning is not None:
                    run.then.append(f"v{number} = {self.named(form.meaning)}(v{number})")
                self.write(2, *self.read(run))
            else:
                self.write(2, f"at += {form.size}")

    def read(self, run: _Run) -> list[str]:
        lines = []
        if run.items:
            unpack = self.named(struct.Struct("<" + "".join(run.forms)).unpack_from)
            lines.append(f"{', '.join(run.items)}, = {unpack}(data, at)")
        if run.length:
            lines.append(f"at += {run.length}")
        return lines + run.then

    def sized(self, number: int, form: Sized, wanted: bool) -> list[str]:
        size = "number(size, 'little')" if form.prefix == 3 else "size"
        if not wanted:
            return [f"at += {size}"]
        piece = "data[start:at]" if form.meaning is None else f"{self.named(form.meaning)}(data[start:at])"
        return ["start = at", f"at += {size}", f"v{number} = {piece}"]

    def named(self, what: object) -> str:
        name = f"o{len(self.names)}"
        self.names[name] = what
        return name

    def write(self, depth: int, *lines: str) -> None:
        self.lines += ["    " * depth + line for line in lines]


class _Run:
    """Neighbours that one ``struct`` reads."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self.forms: list[str] = []
        self.then: list[str] = []  # what the items mean
        self.length = 0

    def item(self, name: str, form: str) -> None:
        self.items.append(name)
        self.forms.append(form)
        self.length += struct.calcsize(f"<{form}")

    def skip(self, size: int) -> None:
        self.forms.append(f"{size}x")
        self.length += size
