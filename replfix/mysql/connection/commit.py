"""COMMIT, and what is known when it was not answered."""

from __future__ import annotations

from replfix.errors import ConnectError, NotDone, NotVerified, ServerError
from replfix.mysql.connection.session import Session


def commit(session: Session, *, meanwhile: str, find_out: str, refused: str, unchanged: str) -> None:
    """Commit. NotVerified when the connection is lost, NotDone when the server rejects it and nothing was changed.

    ``meanwhile``: what was going on when it was lost; ``find_out``: how to learn the outcome; ``refused``: what was
    rejected; ``unchanged`` says that nothing was changed.
    """
    try:
        session.execute("COMMIT")
    except ConnectError as error:
        raise NotVerified(f"{error.message} This was while {meanwhile}.", find_out) from None
    except ServerError as error:
        raise NotDone(f"{refused}: {error.message}.", unchanged) from None
