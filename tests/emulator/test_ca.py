"""The emulator's certificate authority."""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest
from cryptography import x509

from emulator.ca import SERVER_NAMES, Authority


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> dict[str, object]:
    """Both ends over a socket pair; what the server saw of the client."""
    left, right = socket.socketpair()
    with left, right:
        seen: list[dict[str, object]] = []

        def serve() -> None:
            try:
                with server.wrap_socket(left, server_side=True) as wrapped:
                    seen.append(dict(wrapped.getpeercert() or {}))
                    wrapped.recv(1)
            except (ssl.SSLError, OSError):
                left.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with client.wrap_socket(right, server_hostname=name) as wrapped, contextlib.suppress(OSError):
                wrapped.send(b"x")  # with TLS 1.3 a refused client learns it only now
        finally:
            right.close()
            thread.join(5)
        return seen[0] if seen else {}


def _strict(authority: Authority) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    return context


def _server(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.server_chain, authority.server_key)
    return context


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "127.0.0.1",
        "::1",
        "smtp.office365.com",
        "smtp-legacy.office365.com",
        "outlook.office365.com",
        "login.microsoftonline.com",
        "graph.microsoft.com",
        "contoso-com.mail.protection.outlook.com",
        "contoso-com.mx.microsoft",
        "smtp.office365.us",
        "smtp.partner.outlook.cn",
        "login.microsoftonline.us",
    ],
)
def test_a_strict_client_trusts_the_server(tmp_path: Path, name: str) -> None:
    authority = Authority(tmp_path)
    _handshake(_server(authority), _strict(authority), name)


def test_another_name_and_another_root_are_refused(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path / "one"), Authority(tmp_path / "two")
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        _handshake(_server(authority), _strict(authority), "smtp.example.com")
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(_server(authority), _strict(other), "localhost")


def test_files_are_for_their_owner_and_are_reused(tmp_path: Path) -> None:
    directory = tmp_path / "authority"
    first = Authority(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    Authority(directory)
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
    first.server_key.unlink()
    Authority(directory)
    assert first.ca_file.read_bytes() == before["ca.pem"]
    assert first.server_chain.read_bytes() != before["server.pem"]


def test_concurrent_processes_share_one_authority(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=Authority, args=(tmp_path,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    authority = Authority(tmp_path)
    _handshake(_server(authority), _strict(authority), "localhost")


@pytest.mark.parametrize("whole", [True, False])
def test_a_client_certificate_needs_its_intermediate(tmp_path: Path, whole: bool) -> None:
    authority = Authority(tmp_path)
    chain, key = (authority.issue if whole else authority.issue_leaf_only)(["relay.contoso.com"], client=True)
    (tmp_path / "client.pem").write_bytes(chain + key)
    server, client = _server(authority), _strict(authority)
    server.verify_mode = ssl.CERT_OPTIONAL
    server.verify_flags |= ssl.VERIFY_X509_STRICT
    server.load_verify_locations(authority.ca_file)
    client.load_cert_chain(tmp_path / "client.pem")
    result = _handshake(server, client, "localhost")
    assert result.get("subjectAltName") == ((("DNS", "relay.contoso.com"),) if whole else None)


def test_issued_certificate_has_the_requested_fields(tmp_path: Path) -> None:
    chain, _ = Authority(tmp_path).issue(["relay.contoso.com", "192.0.2.1"], days=30)
    leaf, intermediate = x509.load_pem_x509_certificates(chain)
    assert leaf.issuer == intermediate.subject
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days == 31
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["relay.contoso.com"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1"]
    assert len(set(SERVER_NAMES)) == len(SERVER_NAMES)
