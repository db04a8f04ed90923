"""Opening a connection: over the network or a socket, encrypted as asked."""

from __future__ import annotations

from typing import Any

import pymysql

from replfix.core.connection.endpoint import Endpoint
from replfix.core.connection.tls import TlsMode
from replfix.wire.guarded import Guarded
from replfix.wire.tls_context import about_tls, context_of


def connect(endpoint: Endpoint, *, answer_seconds: float, **settings: Any) -> Guarded:
    """Return a connection; ``settings`` are PyMySQL's.

    ConfigError for certificates that cannot be used. ConnectError when the requested encryption is not available, or
    the server asks for a password in a way that is not allowed; else what PyMySQL raises.
    """
    mode = endpoint.tls.mode
    # What runs over a socket leaves no machine: as the MySQL clients, encrypted there only when asked for.
    plain = mode is TlsMode.DISABLED or (mode is TlsMode.PREFERRED and endpoint.socket is not None)
    try:
        return Guarded(endpoint, None if plain else context_of(endpoint.tls), answer_seconds=answer_seconds, **settings)
    except pymysql.err.MySQLError as error:
        if (told := about_tls(endpoint, error)) is not None:
            raise told from None
        raise
