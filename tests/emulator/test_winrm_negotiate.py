"""NTLM with message encryption and channel bindings, and client certificates, with pywinrm and pypsrp."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path
from typing import Any

import pytest
import requests
import winrm
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from pypsrp.exceptions import AuthenticationError
from pypsrp.exceptions import WinRMTransportError as PsrpTransportError
from pypsrp.shell import Process, WinRS
from pypsrp.wsman import WSMan
from winrm.exceptions import InvalidCredentialsError, WinRMTransportError

from tests.emulator.conftest import Start
from tests.emulator.windows_lab import PASSWORD, USER, Lab, host_document


def by_ntlm(lab: Lab, url: str, user: str = USER, password: str = PASSWORD, **options: Any) -> winrm.Session:
    return winrm.Session(url, auth=(user, password), transport="ntlm", ca_trust_path=lab.ca_file, **options)


@pytest.fixture
def lab(start: Start) -> Lab:
    """As Windows is installed: Negotiate, no Basic, no unencrypted traffic."""
    return Lab(start(windows=[host_document(winrm={})]).emulator)


class TestNtlm:
    @pytest.mark.parametrize("encryption", ["auto", "always"])
    def test_by_http_with_message_encryption(self, lab: Lab, encryption: str) -> None:
        session = by_ntlm(lab, lab.http, message_encryption=encryption)
        assert session.run_cmd("whoami").std_out == b"win1\\ansible\r\n"
        assert session.run_ps("'two', 'lines'").std_out == b"two\r\nlines\r\n"

    @pytest.mark.parametrize("user", ["ANSIBLE", "win1\\ansible", ".\\ansible"])
    def test_names_of_the_user(self, lab: Lab, user: str) -> None:
        assert by_ntlm(lab, lab.http, user=user).run_cmd("hostname").std_out == b"win1\r\n"

    def test_by_http_without_encryption_is_refused(self, lab: Lab) -> None:
        with pytest.raises(WinRMTransportError, match="500"):
            by_ntlm(lab, lab.http, message_encryption="never").run_cmd("hostname")

    def test_by_http_without_encryption_where_it_is_allowed(self, start: Start) -> None:
        lab = Lab(start(windows=[host_document(winrm={"allow_unencrypted": True})]).emulator)
        assert by_ntlm(lab, lab.http, message_encryption="never").run_cmd("hostname").std_out == b"win1\r\n"

    @pytest.mark.parametrize("encryption", ["auto", "always"])
    def test_by_https(self, lab: Lab, encryption: str) -> None:
        assert by_ntlm(lab, lab.https, message_encryption=encryption).run_cmd("hostname").std_out == b"win1\r\n"

    @pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("nobody", PASSWORD), ("OTHER\\ansible", PASSWORD)])
    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_wrong_credentials(self, lab: Lab, scheme: str, user: str, password: str) -> None:
        with pytest.raises(InvalidCredentialsError):
            by_ntlm(lab, getattr(lab, scheme), user=user, password=password).run_cmd("hostname")
        assert lab.document["events"] == []

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_a_fault_refuses_a_right_credential(self, lab: Lab, scheme: str) -> None:
        """The 401 that begins the handshake does not use it up; afterwards the connection has to authenticate again."""
        lab.emulator.admin.fault("windows", "unauthorized")
        session = by_ntlm(lab, getattr(lab, scheme))
        with pytest.raises(InvalidCredentialsError):
            session.run_cmd("hostname")
        assert [fault["used"] for fault in lab.emulator.admin.faults()] == [1]
        assert lab.emulator.admin.requests() == {}
        assert by_ntlm(lab, getattr(lab, scheme)).run_cmd("hostname").std_out == b"win1\r\n"

    def test_negotiate_can_be_off(self, start: Start) -> None:
        lab = Lab(start(windows=[host_document(winrm={"basic": True, "negotiate": False})]).emulator)
        with pytest.raises(InvalidCredentialsError):
            by_ntlm(lab, lab.https).run_cmd("hostname")

    def test_an_encrypted_message_belongs_to_its_connection(self, lab: Lab) -> None:
        """A message that was sealed for one connection is refused on another with 400, which Ansible's winrm plugin knows."""
        body = b"--Encrypted Boundary\r\n\tContent-Type: x\r\n\tOriginalContent: type=x;Length=1\r\n--Encrypted Boundary\r\n"
        body += b"\tContent-Type: application/octet-stream\r\n\x10\0\0\0" + b"0" * 17 + b"--Encrypted Boundary--\r\n"
        session = by_ntlm(lab, lab.https)
        session.run_cmd("hostname")
        transport = session.protocol.transport.build_session()
        answer = transport.post(
            lab.https, data=body, headers={"Content-Type": "multipart/encrypted;boundary=x"}, verify=lab.ca_file, timeout=10
        )
        assert answer.status_code == 400


class TestChannelBindings:
    """CbtHardeningLevel (winrm/config/service/auth): None, Relaxed, Strict."""

    @pytest.mark.parametrize(("level", "sends", "accepted"), [
        ("Relaxed", True, True), ("Relaxed", False, True), ("Strict", True, True), ("Strict", False, False), ("None", False, True),
    ])  # fmt: skip
    def test_levels(self, start: Start, level: str, sends: bool, accepted: bool) -> None:
        lab = Lab(start(windows=[host_document(winrm={"cbt_hardening_level": level})]).emulator)
        wsman = psrp_transport(lab, negotiate_send_cbt=sends)
        if accepted:
            assert hostname(wsman) == b"win1\r\n"
        else:
            with pytest.raises(AuthenticationError):
                hostname(wsman)

    @pytest.mark.parametrize("level", ["Relaxed", "Strict"])
    def test_bindings_of_another_channel_are_refused(self, start: Start, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """What a relayed handshake looks like (RFC 5929): the client saw another certificate."""
        lab = Lab(start(windows=[host_document(winrm={"cbt_hardening_level": level})]).emulator)
        monkeypatch.setattr("pypsrp.negotiate.HTTPNegotiateAuth._get_cbt_data", lambda response: b"tls-server-end-point:" + bytes(32))
        with pytest.raises(AuthenticationError):
            hostname(psrp_transport(lab))


def psrp_transport(lab: Lab, scheme: str = "https", **options: Any) -> WSMan:
    settings = {"username": USER, "password": PASSWORD, "auth": "negotiate", "cert_validation": lab.ca_file} | options
    return WSMan(lab.ports["address"], port=lab.ports[f"{scheme}_port"], ssl=scheme == "https", **settings)


def hostname(wsman: WSMan) -> bytes:
    """What the program hostname writes in a shell of cmd.exe."""
    with wsman, WinRS(wsman) as shell:
        process = Process(shell, "hostname")
        process.invoke()
        return bytes(process.stdout)


@pytest.mark.parametrize(("scheme", "auth"), [("http", "ntlm"), ("http", "negotiate"), ("https", "ntlm"), ("https", "negotiate")])
def test_pypsrp(lab: Lab, scheme: str, auth: str) -> None:
    assert hostname(psrp_transport(lab, scheme, auth=auth)) == b"win1\r\n"
    lab.emulator.admin.fault("windows", "unauthorized")
    for password in ("wrong", PASSWORD):
        with pytest.raises(AuthenticationError):
            hostname(psrp_transport(lab, scheme, auth=auth, password=password))
    assert hostname(psrp_transport(lab, scheme, auth=auth)) == b"win1\r\n"


def test_pypsrp_without_encryption(lab: Lab) -> None:
    with pytest.raises(PsrpTransportError, match="500"):
        hostname(psrp_transport(lab, "http", encryption="never"))


class Identity:
    """A self-signed client certificate with a user principal name, as Ansible's documentation makes one."""

    def __init__(self, directory: Path, upn: str, *, days: int = 30, client: bool = True) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, upn.partition("@")[0])])
        begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=60)
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        principal = x509.OtherName(ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), bytes([12, len(upn)]) + upn.encode())
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begin)
        builder = builder.not_valid_after(begin + datetime.timedelta(days=60 + days))
        builder = builder.add_extension(x509.SubjectAlternativeName([principal]), critical=False)
        certificate = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False).sign(key, hashes.SHA256())
        self.pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.certificate_file, self.key_file = str(directory / "client.pem"), str(directory / "client.key")
        Path(self.certificate_file).write_text(self.pem, encoding="utf-8")
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        Path(self.key_file).write_bytes(private)

    def session(self, lab: Lab) -> winrm.Session:
        options = {"cert_pem": self.certificate_file, "cert_key_pem": self.key_file, "ca_trust_path": lab.ca_file}
        return winrm.Session(lab.https, auth=("", ""), transport="certificate", **options)


UPN = "ansible@localhost"


def certificate_host(issuer: str, **winrm_settings: Any) -> dict[str, Any]:
    user = {"name": USER, "password": PASSWORD, "certificate_upn": UPN, "certificate_issuer": issuer}
    return host_document(users=[user], winrm={"certificate": True} | winrm_settings)


class TestCertificates:
    def test_the_mapped_user_signs_in(self, start: Start, tmp_path: Path) -> None:
        identity = Identity(tmp_path, UPN)
        lab = Lab(start(windows=[certificate_host(identity.pem)]).emulator)
        assert identity.session(lab).run_cmd("whoami").std_out == b"win1\\ansible\r\n"
        options = {"certificate_pem": identity.certificate_file, "certificate_key_pem": identity.key_file}
        assert hostname(psrp_transport(lab, auth="certificate", username=None, password=None, **options)) == b"win1\r\n"

    @pytest.mark.parametrize(("upn", "options"), [("other@localhost", {}), (UPN, {"days": -1}), (UPN, {"client": False})])
    def test_certificates_that_do_not_fit(self, start: Start, tmp_path: Path, upn: str, options: dict[str, Any]) -> None:
        identity = Identity(tmp_path, upn, **options)
        lab = Lab(start(windows=[certificate_host(identity.pem)]).emulator)
        with pytest.raises((InvalidCredentialsError, requests.exceptions.ConnectionError, ssl.SSLError)):
            identity.session(lab).run_cmd("hostname")

    def test_another_issuer_and_certificates_that_are_not_allowed(self, start: Start, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        identity, other = Identity(tmp_path, UPN), Identity(tmp_path / "other", UPN)
        for document in (certificate_host(other.pem), certificate_host(identity.pem, certificate=False)):
            with pytest.raises(InvalidCredentialsError):
                identity.session(Lab(start(windows=[document]).emulator)).run_cmd("hostname")

    def test_without_a_certificate(self, start: Start, tmp_path: Path) -> None:
        lab = Lab(start(windows=[certificate_host(Identity(tmp_path, UPN).pem)]).emulator)
        header = {"Authorization": "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"}
        assert requests.post(lab.https, data=b"x", headers=header, verify=lab.ca_file, timeout=10).status_code == 401
