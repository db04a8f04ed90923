"""How a connection is encrypted, and what it means when that cannot be had."""

from __future__ import annotations

import ssl
from pathlib import Path

import pymysql
from pymysql.constants import CR

from replfix.core.connection.endpoint import Endpoint
from replfix.core.connection.tls import Tls, TlsMode
from replfix.errors import ConfigError, ConnectError

_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
_OTHER_NAME = {62, 64}  # X509_V_ERR_HOSTNAME_MISMATCH, …_IP_ADDRESS_MISMATCH
_UNKNOWN_AUTHORITY = {18, 19, 20, 21}  # self-signed, or its issuer is not known here
_INSECURE_TRANSPORT = 3159  # ER_SECURE_TRANSPORT_REQUIRED


def _plain_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


_UNVERIFIED = _plain_context()
"""Where nothing is asked for, one serves all. PyMySQL would load every authority of the machine for each connection, to
ask none of them (20 ms of work; version 1.2)."""


def context_of(tls: Tls) -> ssl.SSLContext:
    """ConfigError for certificates and ciphers that cannot be used."""
    chosen = any((tls.ssl_cert, tls.ssl_key, tls.ssl_cipher, tls.tls_version))
    return _UNVERIFIED if tls.mode is TlsMode.PREFERRED and not chosen else _context(tls)


def _context(tls: Tls) -> ssl.SSLContext:
    context = _plain_context()
    context.minimum_version = _VERSIONS[tls.versions[0]]
    context.maximum_version = _VERSIONS[tls.versions[-1]]
    if tls.mode.verifies:
        context.verify_mode = ssl.CERT_REQUIRED
        context.check_hostname = tls.mode is TlsMode.VERIFY_IDENTITY
        _load_authorities(context, tls)
    if tls.ssl_cipher:
        try:
            context.set_ciphers(tls.ssl_cipher)
        except ssl.SSLError:
            raise ConfigError(
                f"ssl-cipher: none of {tls.ssl_cipher!r} is known here.",
                "'openssl ciphers' lists those of TLSv1.2; those of TLSv1.3 are not chosen.",
            ) from None
    if tls.ssl_cert or tls.ssl_key:
        _load_certificate(context, tls)
    return context


def _load_authorities(context: ssl.SSLContext, tls: Tls) -> None:
    if not tls.ssl_ca and not tls.ssl_capath:
        if tls.mode is TlsMode.VERIFY_CA:
            # Any of the hundred authorities that a machine knows would do, for any name.
            raise ConfigError(
                "ssl-mode=VERIFY_CA needs a certificate authority.",
                "Name its certificate with ssl-ca; or use VERIFY_IDENTITY, which accepts those that this machine knows.",
            )
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return
    ca, directory = _file("ssl-ca", tls.ssl_ca), _file("ssl-capath", tls.ssl_capath)
    try:
        context.load_verify_locations(ca, directory)
    except OSError as error:
        raise _unusable("ssl-ca", tls.ssl_ca or tls.ssl_capath, error) from None


def _load_certificate(context: ssl.SSLContext, tls: Tls) -> None:
    certificate, key = _file("ssl-cert", tls.ssl_cert), _file("ssl-key", tls.ssl_key)
    if certificate is None:
        raise ConfigError(
            "ssl-key is given without ssl-cert.", "Name the certificate that belongs to it with ssl-cert."
        )

    def passphrase() -> str:  # OpenSSL would ask for it on the terminal, under the screen
        raise ConfigError(
            f"The key in {key or certificate} has a passphrase.",
            "Give a key without one, in a file that only its owner can read.",
        )

    try:
        context.load_cert_chain(certificate, key, passphrase)
    except OSError as error:
        raise _unusable("ssl-cert", f"{tls.ssl_cert} with its key {tls.ssl_key or 'inside'}", error) from None


def _file(option: str, path: str | None) -> Path | None:
    if not path:
        return None
    file = Path(path).expanduser()
    try:
        file.stat()
    except OSError as error:
        raise ConfigError(
            f"{option}: {file} cannot be read: {error.strerror}.",
            "Correct the path in the URL, in replfix.toml or in the option file.",
        ) from None
    return file


def _unusable(option: str, what: str | None, error: OSError) -> ConfigError:
    reason = getattr(error, "reason", None) or error.strerror or str(error)
    return ConfigError(
        f"{option}: {what} cannot be used: {str(reason).replace('_', ' ').lower()}.",
        "It has to be a file in PEM format that this user may read; a certificate and its key belong together.",
    )


def about_tls(endpoint: Endpoint, error: pymysql.err.MySQLError) -> ConnectError | None:
    """Return what the error means where it is about encryption; None where it is not."""
    errno = error.args[0] if error.args else 0
    mode = endpoint.tls.mode
    if errno == CR.CR_SSL_CONNECTION_ERROR:
        return ConnectError(
            f"{endpoint} does not encrypt, and ssl-mode={mode} asks for it. Nothing was sent.",
            "Set up TLS on the server, or connect with ssl-mode=PREFERRED where the network is trusted.",
        )
    if errno == _INSECURE_TRANSPORT:
        return ConnectError(
            f"{endpoint} accepts encrypted connections only (require_secure_transport), and ssl-mode={mode} makes none.",
            "Connect with ssl-mode=REQUIRED, or better VERIFY_CA with ssl-ca.",
        )
    cause = _ssl_error(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return ConnectError(*_distrusted(endpoint, cause))
    if cause is not None:
        reason = (cause.reason or str(cause)).replace("_", " ").lower()
        return ConnectError(
            f"{endpoint} and this side do not agree on how to encrypt: {reason}.",
            "Compare tls-version and ssl-cipher with the server's tls_version and ssl_cipher; of a client certificate (ssl-cert), "
            "the server has to know the authority.",
        )
    return None


def _ssl_error(error: BaseException) -> ssl.SSLError | None:
    cause: BaseException | None = getattr(error, "original_exception", None) or error.__context__
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__context__
    return cause


def _distrusted(endpoint: Endpoint, error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    if error.verify_code in _OTHER_NAME:
        return (
            f"The certificate of {endpoint} is for another name than {endpoint.host!r}. Nothing was sent.",
            "Connect by the name that is in the certificate, or give the server one for this name. Certificates that a MySQL "
            "server makes for itself have no host name: ssl-mode=VERIFY_CA is what they can do.",
        )
    if error.verify_code in _UNKNOWN_AUTHORITY:
        asked = endpoint.tls.ssl_ca or endpoint.tls.ssl_capath or "the authorities that this machine knows"
        return (
            f"The certificate of {endpoint} is not trusted: {asked} did not sign it ({error.verify_message}). Nothing was sent.",
            "Name the server's own authority with ssl-ca (a MySQL server that made its own: ca.pem in its data directory).",
        )
    return (
        f"The certificate of {endpoint} is not trusted: {error.verify_message}. Nothing was sent.",
        "Look at it: openssl s_client -starttls mysql -connect HOST:PORT. One that is out of its time is renewed on the server.",
    )
