"""Incidents whose remedies are followed: how each is staged on healthy and empty servers."""

from __future__ import annotations

from dataclasses import replace

from tests.following.connected import CONNECTED
from tests.following.definitions import DRIFTED
from tests.following.errant import ERRANT
from tests.following.incident import Incident
from tests.following.receivers import RECEIVERS
from tests.following.refused import REFUSED
from tests.following.servers import SERVERS
from tests.following.statements import STATEMENTS
from tests.integration.broken import BROKEN

_TAKEN_BY_MARIADB = ("3819", "1007", "1008", "1050", "1051", "1837")
"""MariaDB replaces and drops objects silently when it applies (its DDL is idempotent there by default), and does not look at a CHECK
for row events (10.11, 11.8)."""

_ALL = (
    *(
        Incident(name, one.arrange, taken_by="mariadb" if name in _TAKEN_BY_MARIADB else "")
        for name, one in BROKEN.items()
    ),
    *(Incident(name, one.arrange, taken_by=one.taken_by, remedied=one.remedied) for name, one in DRIFTED.items()),
    *(
        Incident(f"statement: {name}", one.arrange, one.errors, one.only, one.taken_by, in_every_run=False)
        for name, one in STATEMENTS.items()
    ),
    *(
        Incident(f"refused: {name}", one.arrange, one.errors, one.only, one.taken_by, in_every_run=False)
        for name, one in REFUSED.items()
    ),
    *RECEIVERS,
    *SERVERS,
    *CONNECTED,
    *ERRANT,
)

_ONE_OF_A_KIND = (
    "chain: column ahead on the middle",
    "receiver: 1062 and 1236 purged",
    "refused: 1269 of two",
    "server: MyISAM index damaged",
    "server: file of somebody",
    "server: incident on the source",
    "server: rows only",
    "server: statement too slow",
    "statement: 1091 foreign key",
    "statement: 1136",
    "statement: 1176",
    "statement: 1227 grant",
    "statement: 1828",
)
"""Of those that only ``make follow`` takes else, one for each thing that was wrong and that no other test stages."""

INCIDENTS = tuple(replace(one, in_every_run=True) if one.name in _ONE_OF_A_KIND else one for one in _ALL)
