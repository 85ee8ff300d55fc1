# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makers of printers and scanners, A to K: the words of their menus, and what they say of OAuth for Microsoft 365.

As of 2026-11-28.
"""

from __future__ import annotations

from .model import Encryption, Label, OAuth, Product

PRODUCTS = (
    Product(
        name="brother",
        label="Brother",
        kind="printer",
        where="Web Based Management: Network > Protocol > SMTP Client",
        fields={
            "server": Label("SMTP Server", verified=False),
            "port": Label("Port", verified=False),
            "encryption": Label("SSL/TLS"),
            "authentication": Label("Authentication for sending e-mail: SMTP-AUTH", verified=False),
            "username": Label("SMTP-AUTH Account Name", verified=False),
            "password": Label("SMTP-AUTH Account Password", verified=False),
            "sender": Label("Machine's E-mail Address", verified=False),
        },
        further={"certificate check": Label("Verify Server Certificate", verified=False)},
        encryption=Encryption("None", "STARTTLS (port 587)", "SSL (port 465)"),
        oauth=OAuth(
            smtp="unknown",
            by_model=True,
            note=(
                "Product Support List per model: built in, or by a firmware that can be downloaded; a machine not on "
                "it gets none. Affects Scan to Email Server, Internet Fax, reports, notifications."
            ),
        ),
        confidence="secondary",
        sources=(
            "Brother support notice ossid=42, through ZeroSMTP data/devices.json",
            (
                "msgwing/ZeroSMTP docs/PRINTERS.md and data/devices.json, commit 74f27a1, 2026-08-22 (secondary: "
                "links the makers' own pages)"
            ),
            "labels marked as not verified are recalled",
        ),
    ),
    Product(
        name="canon",
        label="Canon",
        kind="printer",
        where=(
            "Remote UI: Settings/Registration > TX Settings (newer: Function Settings > Send) > E-Mail/I-Fax "
            "Settings > SMTP Server Settings"
        ),
        fields={
            "server": Label("SMTP Server", verified=False),
            "port": Label("SMTP TX port number", verified=False),
            "encryption": Label("Allow TLS (SMTP TX)", verified=False),
            "authentication": Label("Use SMTP Authentication (SMTP AUTH)", verified=False),
            "username": Label("User Name", verified=False),
            "password": Label("Password", verified=False),
            "sender": Label("E-Mail Address", verified=False),
        },
        further={"maximum message size": Label("Maximum Data Size for Sending", verified=False)},
        encryption=Encryption("off", "Allow TLS on (port 587)", "not on all models", verified=False),
        oauth=OAuth(
            smtp="unknown",
            by_model=True,
            note=("A 2026 guide names Canon among the makers with OAuth firmware; no list of models was read: ask the maker."),
        ),
        confidence="secondary",
        sources=(
            (
                "msgwing/ZeroSMTP docs/PRINTERS.md and data/devices.json, commit 74f27a1, 2026-08-22 (secondary: "
                "links the makers' own pages)"
            ),
            "ZeroSMTP data/devices.json, entry Canon Maxify MB2755",
            "guide 'SMTP Server for Office 365: Setup Guide (2026)'",
            "single labels are recalled",
        ),
        notes=(
            (
                "Maxify MB2755: its list of root certificates is frozen; certificate check must be off, or use port "
                "25 without TLS (hardware-confirmed, 2026-08)"
            ),
        ),
    ),
    Product(
        name="epson",
        label="Epson",
        kind="printer",
        where="Web Config: Network > Email Server > Basic",
        fields={
            "server": Label("SMTP Server Address", verified=False),
            "port": Label("SMTP Server Port Number", verified=False),
            "encryption": Label("Secure Connection", verified=False),
            "authentication": Label("Authentication Method"),
            "username": Label("Authenticated Account", verified=False),
            "password": Label("Authenticated Password", verified=False),
            "sender": Label("Sender's Email Address", verified=False),
        },
        further={"certificate check": Label("Certificate Validation", verified=False)},
        encryption=Encryption("None", "STARTTLS", "SSL/TLS", verified=False),
        oauth=OAuth(
            smtp="delegated",
            flow="device code",
            since="latest firmware of supported models",
            where="Authentication Method = OAuth2; Email service = Microsoft Exchange Online; Sign In",
            note=(
                "Code is typed at Microsoft; the account needs Cloud Application Administrator or more, with "
                "'Consent on behalf of organization'. SMTP AUTH must be on for the mailbox. Epson's guide also tells "
                "to switch Security Defaults off: do not follow it blindly."
            ),
        ),
        confidence="vendor",
        sources=(
            "Epson manual ES-C380W 'Setting Up OAuth2.0 Authentication for the Email Server'",
            "Epson NPD7717-00 'Device Authentication Guide for Microsoft Exchange Online'",
            (
                "msgwing/ZeroSMTP docs/PRINTERS.md and data/devices.json, commit 74f27a1, 2026-08-22 (secondary: "
                "links the makers' own pages)"
            ),
            "labels marked as not verified are recalled",
        ),
    ),
    Product(
        name="fujifilm",
        label="Fujifilm Business Innovation (formerly Fuji Xerox)",
        kind="printer",
        where="CentreWare Internet Services: Properties > Connectivity > Protocols > Email",
        fields={
            "server": Label("SMTP Server Address"),
            "port": Label("SMTP Server Port Number"),
            "authentication": Label("E-mail Send Authentication"),
            "username": Label("Login Name"),
            "password": Label("Password"),
            "sender": Label("Device Email Address"),
        },
        further={"maximum message size": Label("Maximum Total Data Size")},
        encryption=Encryption("only possibility on old models", "by model", "by model", verified=False),
        oauth=OAuth(
            smtp="delegated",
            by_model=True,
            flow="delegated, the maker's application with admin consent",
            since="notice of August 2022",
            note="Consent page published by the maker in 2022 (reported by an administrator).",
        ),
        confidence="vendor",
        sources=(
            "Fuji Xerox DocuCentre-IV C2260 and ApeosPort-IV manuals, 'Feature Specifications'",
            "Xerox DocuCentre SC2020 user guide",
            "itkitchen.info 2023-06-04",
        ),
        notes=(
            (
                "DocuCentre-IV, ApeosPort-IV and older: SMTP AUTH PLAIN and LOGIN, no TLS, port 25 by default: relay "
                "listener for old devices"
            ),
            "Message size: recommended 1-2 MB on old models.",
        ),
        aliases=(
            "Fujifilm",
            "Fuji Xerox",
        ),
    ),
    Product(
        name="hp",
        label="HP",
        kind="printer",
        where=("Embedded Web Server (EWS): Networking or Scan > Outgoing Email / Scan to Email > Outgoing Email Profiles"),
        fields={
            "server": Label("SMTP Server (Server Name)", verified=False),
            "port": Label("Port Number", verified=False),
            "encryption": Label("Enable SMTP SSL Protocol", verified=False),
            "authentication": Label("SMTP server requires authentication", verified=False),
            "username": Label("User Name", verified=False),
            "password": Label("Password", verified=False),
            "sender": Label("From email address", verified=False),
        },
        further={"maximum message size": Label("Split emails if larger than (MB)", verified=False)},
        encryption=Encryption("SSL off", "SSL on, port 587", "SSL on, port 465", verified=False),
        oauth=OAuth(
            smtp="unknown", by_model=True, note="Named in a 2026 guide as OAuth-capable by firmware; no statement of HP by model was read."
        ),
        confidence="secondary",
        sources=(
            (
                "msgwing/ZeroSMTP docs/PRINTERS.md and data/devices.json, commit 74f27a1, 2026-08-22 (secondary: "
                "links the makers' own pages)"
            ),
            "guide 'SMTP Server for Office 365: Setup Guide (2026)'",
            "single labels are recalled",
        ),
    ),
    Product(
        name="konica_minolta",
        label="Konica Minolta (DEVELOP ineo is the same hardware)",
        kind="printer",
        where="Web Connection: Network > E-mail Setting > E-mail TX (SMTP)",
        fields={
            "server": Label("SMTP Server Address"),
            "port": Label("Port Number"),
            "encryption": Label("SSL/TLS Setting"),
            "authentication": Label("SMTP Authentication", verified=False),
            "username": Label("User ID", verified=False),
            "password": Label("Password", verified=False),
            "sender": Label("Device Mail Address / administrator's address", verified=False),
        },
        further={
            "port of implicit TLS": Label("Port No. (SSL)"),
            "certificate check": Label("Certificate Verification Level Settings"),
            "maximum message size": Label("Max Mail Size", verified=False),
            "switch": Label("E-mail TX Setting: On"),
        },
        encryption=Encryption(
            "Do Not Use (factory setting)", "Start TLS, Port Number 587", "SMTP over SSL, Port No. (SSL) 465 (factory setting)"
        ),
        oauth=OAuth(
            smtp="unknown",
            by_model=True,
            note=(
                "DEVELOP's advisory: ten product groups; the models listed are 'N/A' (no OAuth firmware), some of "
                "group 10 'Under planning'."
            ),
            models_without=(
                "ineo 306",
                "ineo 7228",
                "ineo 266",
                "ineo+ 266",
                "ineo+ 256",
                "ineo+ 226",
                "ineo 4752",
                "ineo 4052",
                "ineo 4750",
                "ineo 4050",
                "ineo+ 3110",
                "ineo+ 3100P",
                "ineo+ 754e",
                "ineo+ 654e",
                "ineo 246",
                "ineo 236",
                "ineo 226",
                "ineo 216",
                "ineo 4700P",
                "ineo 3301P",
                "ineo 4000P",
                "ineo 165 variants",
                "ineo 185 variants",
            ),
        ),
        confidence="vendor",
        sources=(
            "Konica Minolta bizhub C4000i manual, page 'E-mail送信(SMTP)' (labels translated)",
            ("DEVELOP 'Discontinuation of basic authentication for SMTP', through ZeroSMTP data/devices.json, 2026-08-16"),
            (
                "msgwing/ZeroSMTP docs/PRINTERS.md and data/devices.json, commit 74f27a1, 2026-08-22 (secondary: "
                "links the makers' own pages)"
            ),
        ),
        notes=("Ports: plain and STARTTLS share 'Port Number' (25), SMTP over SSL has its own field (465)",),
        aliases=(
            "Konica Minolta",
            "DEVELOP",
            "ineo",
            "bizhub",
        ),
    ),
    Product(
        name="kyocera",
        label="Kyocera",
        kind="printer",
        where="Command Center RX: Advanced (or Function Settings) > E-mail > SMTP > General",
        fields={
            "server": Label("SMTP Server Name", verified=False),
            "port": Label("SMTP Port Number", verified=False),
            "encryption": Label("SMTP Security"),
            "authentication": Label("Authentication Protocol", verified=False),
            "username": Label("Login User Name", verified=False),
            "password": Label("Login Password", verified=False),
            "sender": Label("Sender Address", verified=False),
        },
        further={
            "maximum message size": Label("E-mail Size Limit", verified=False),
            "switch": Label("SMTP (E-mail TX): On, under Network Settings > Protocol"),
        },
        encryption=Encryption("Off", "STARTTLS", "SSL/TLS", verified=False),
        oauth=OAuth(
            smtp="add_on",
            flow="application on the device",
            note="The maker offers the utility 'Exchange Online Connector' for supported devices.",
        ),
        confidence="secondary",
        sources=(
            (
                "msgwing/ZeroSMTP docs/PRINTERS.md and data/devices.json, commit 74f27a1, 2026-08-22 (secondary: "
                "links the makers' own pages)"
            ),
            "labels marked as not verified are recalled",
        ),
        notes=("Panel error 1102 (0x1102) = SMTP authentication refused, whatever the server said",),
    ),
)
