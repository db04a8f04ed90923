"""COMMIT, and what is known when it was not answered."""

from __future__ import annotations

from replfix.errors import ConnectError, NotDone, NotVerified, ServerError
from replfix.mysql.connection.session import Session


def commit(session: Session, *, meanwhile: str, find_out: str, refused: str, unchanged: str) -> None:
    """NotVerified when the connection is lost (``meanwhile``: what went on then; ``find_out``: how to learn what became of
    it), NotDone when the server says no: ``refused``, in the server's words, and nothing was changed, which ``unchanged`` says.
    """
    try:
        session.execute("COMMIT")
    except ConnectError as error:
        raise NotVerified(f"{error.message} This was while {meanwhile}.", find_out) from None
    except ServerError as error:
        raise NotDone(f"{refused}: {error.message}.", unchanged) from None
