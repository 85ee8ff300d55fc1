"""The certificates of the store LocalMachine\\My, as the provider Cert: has them (about_Certificate_Provider, "X509Certificate2 Class")."""

from __future__ import annotations

from emulator.state import WindowsCertificate
from emulator.windows.cim import WmiDateTime
from emulator.windows.powershell.values import Array, NetObject, Value

STORE = "cert:\\localmachine\\my"


class CertificateObject(NetObject):
    type_name = "System.Security.Cryptography.X509Certificates.X509Certificate2"

    def __init__(self, certificate: WindowsCertificate) -> None:
        self._members: dict[str, Value] = {
            "subject": f"CN={certificate.names[0]}" if certificate.names else "",
            "thumbprint": certificate.thumbprint.upper(),
            "hasprivatekey": certificate.private_key,
            "notafter": _LocalTime(certificate.not_after),
            "dnsnamelist": Array([_DnsName(name) for name in certificate.names]),
        }

    def get(self, name: str) -> Value:
        return self._members[name.lower()] if name.lower() in self._members else super().get(name)


class _LocalTime(WmiDateTime):
    """NotAfter is in local time: only its ToUniversalTime can be compared."""

    def call(self, name: str, arguments: list[Value]) -> Value:
        if name.lower() == "touniversaltime" and not arguments:
            return WmiDateTime(self.seconds)
        return NetObject.call(self, name, arguments)


class _DnsName(NetObject):
    type_name = "Microsoft.PowerShell.Commands.DnsNameRepresentation"

    def __init__(self, name: str) -> None:
        self._name = name

    def get(self, name: str) -> Value:
        return self._name if name.lower() == "unicode" else super().get(name)
