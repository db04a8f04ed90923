"""``.mylogin.cnf``, as ``mysql_config_editor`` writes it: login paths with accounts and addresses, in obfuscated form.

4 bytes that are not used, 20 bytes that the key is made of, then lines: the length of each (4 bytes, least significant
first) and its text by AES-128 in ECB mode with PKCS #7 padding. The key is in the file, so this keeps a password from being read over a
shoulder, and no more: whoever can read the file can sign in. Source: MySQL's client/mysql_config_editor.cc and
mysys/my_default.cc.
"""

from __future__ import annotations

import os
from pathlib import Path

from replfix import own_files

FILE = "~/.mylogin.cnf"
ELSEWHERE = "MYSQL_TEST_LOGIN_FILE"
_UNUSED, _KEY_BYTES, _LENGTH, _BLOCK = 4, 20, 4, 16


def login_file() -> Path:
    """Return where it is: ``$MYSQL_TEST_LOGIN_FILE``, else ``~/.mylogin.cnf``."""
    return Path(os.environ.get(ELSEWHERE) or FILE).expanduser()


def read_login_file(file: Path) -> str:
    """Return its text, in the form of an option file.

    Distrusted where others may write to it or read it, as the MySQL clients do; ValueError for another kind of file;
    OSError where it cannot be read.
    """
    content = own_files.read(file)
    own_files.judge_secret(file)
    return deciphered(content)


def deciphered(content: bytes) -> str:
    """Return the text of a login file. ValueError where it is none."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # not needed by most runs

    at = _UNUSED + _KEY_BYTES
    if len(content) < at:
        raise ValueError("it is too short")
    key = bytearray(_BLOCK)
    for number, byte in enumerate(content[_UNUSED:at]):
        key[number % _BLOCK] ^= byte
    cipher = Cipher(algorithms.AES(bytes(key)), modes.ECB())  # noqa: S305 - the format of the file
    lines = []
    while at < len(content):
        length = int.from_bytes(content[at : at + _LENGTH], "little")
        line = content[at + _LENGTH : at + _LENGTH + length]
        if length == 0 or len(line) != length or length % _BLOCK:
            raise ValueError(f"byte {at} begins no line")
        decryptor = cipher.decryptor()
        plain = decryptor.update(line) + decryptor.finalize()
        if not 1 <= plain[-1] <= _BLOCK:
            raise ValueError(f"the line at byte {at} does not fit the key")
        lines.append(plain[: -plain[-1]].decode("utf-8", "surrogateescape"))
        at += _LENGTH + length
    return "".join(lines)
