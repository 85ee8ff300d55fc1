# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makers of printers and scanners, L to Z: the words of their menus, and what they say of OAuth for Microsoft 365.

As of 2026-11-28.
"""

from __future__ import annotations

from .model import Encryption, Label, OAuth, Product

PRODUCTS = (
    Product(
        name="lexmark",
        label="Lexmark",
        kind="printer",
        where="Embedded Web Server: Settings > Email (older: E-mail/FTP Settings > SMTP Setup)",
        fields={
            "server": Label("Primary SMTP Gateway"),
            "port": Label("Primary SMTP Gateway Port"),
            "encryption": Label("Use SSL/TLS"),
            "authentication": Label("SMTP Server Authentication", verified=False),
            "username": Label("Device Userid", verified=False),
            "password": Label("Device Password", verified=False),
            "sender": Label("Reply Address"),
        },
        further={
            "certificate check": Label("Require Trusted Certificate", verified=False),
            "mail of the device itself": Label("Device-Initiated E-mail: Use Device SMTP Credentials", verified=False),
            "maximum message size": Label("Maximum message size", verified=False),
        },
        encryption=Encryption(
            "Disabled", "Required with port 587 (Negotiate = only if offered)", "not offered on all firmware", verified=False
        ),
        oauth=OAuth(
            smtp="delegated",
            flow="device code",
            since="FW24 firmware",
            where="Settings > Email > Set Up OAuth 2.0 for Email Server > Register",
            note=(
                "A person types an alphanumeric code within 15 minutes; status becomes 'Registered'. Mail and fax "
                "server are registered separately. Outlook.com and Microsoft 365."
            ),
        ),
        confidence="vendor",
        sources=(
            "Lexmark knowledge base 'How to set up OAuth 2.0' (FW24)",
            (
                "msgwing/ZeroSMTP docs/PRINTERS.md and data/devices.json, commit 74f27a1, 2026-08-22 (secondary: "
                "links the makers' own pages)"
            ),
            "labels marked as not verified are recalled",
        ),
        notes=(("Reply Address must be a valid address, or scans vanish without an error (an administrator's note)"),),
    ),
    Product(
        name="ricoh",
        label="Ricoh",
        kind="printer",
        where="Web Image Monitor: Device Management > Configuration > Email",
        fields={
            "server": Label("SMTP Server Name"),
            "port": Label("SMTP Port No."),
            "encryption": Label("Use Secure Connection (SSL)", verified=False),
            "authentication": Label("SMTP Authentication"),
            "username": Label("SMTP Auth. User Name", verified=False),
            "password": Label("SMTP Auth. Password", verified=False),
            "sender": Label("Administrator Email Address", verified=False),
        },
        further={
            "address of the authentication": Label("SMTP Auth. Email Address", verified=False),
            "maximum message size": Label("Maximum email size", verified=False),
        },
        encryption=Encryption("Off", "On with port 587", "On with port 465", verified=False),
        oauth=OAuth(
            smtp="delegated",
            by_model=True,
            flow="delegated, the maker's multi-tenant application",
            note=(
                "Needs admin consent for SMTP.Send and offline_access of Ricoh's application; without it 535. Tables "
                "of firmware revised 2026-01-30; for devices still waiting Ricoh advises another mail service."
            ),
        ),
        confidence="secondary",
        sources=(
            "Ricoh advisory 2025-05-26, revised 2026-01-30, through ZeroSMTP data/devices.json",
            "Microsoft Q&A 5647542, 2025-12-05",
            (
                "msgwing/ZeroSMTP docs/PRINTERS.md and data/devices.json, commit 74f27a1, 2026-08-22 (secondary: "
                "links the makers' own pages)"
            ),
            "labels marked as not verified are recalled",
        ),
        notes=(("Scan to Email, Internet Fax, fax forwarding, on-demand and automatic notifications all use the same account"),),
    ),
    Product(
        name="sharp",
        label="Sharp",
        kind="printer",
        where=("web page or panel: Settings (Administrator) > System Settings > Network Settings > Service Settings > SMTP tab"),
        fields={
            "server": Label("Primary Server"),
            "port": Label("Port Number"),
            "encryption": Label("Enable SSL/TLS"),
            "authentication": Label("Authentication Method"),
            "username": Label("User Name", verified=False),
            "password": Label("Password", verified=False),
            "sender": Label("Sender Address"),
        },
        further={"timeout": Label("Timeout"), "sender name": Label("Sender Name")},
        encryption=Encryption("Enable SSL/TLS off", "Enable SSL/TLS on, port 587", "on, port 465", verified=False),
        oauth=OAuth(
            smtp="delegated",
            flow="authorization code or device code, [Get Token]",
            since="BP series (BP-70M, BP-70C, BP-B550, BP-C131 manuals)",
            where="Authentication Method = OAuth 2.0, provider, account name, [Get Token]",
            note=(
                "On BP-70C65 only at the panel, on BP-C131WD on the web page. 'Token update failed' in the "
                "connection test = delete the token and get it again. POP has its own token."
            ),
        ),
        confidence="vendor",
        sources=(
            ("Sharp manuals BP-70M65, BP-70C65, BP-70M90, BP-B550WD, BP-B550PW, BP-C131WD, 'OAuth 2.0 AUTHENTICATION'"),
            (
                "msgwing/ZeroSMTP docs/PRINTERS.md and data/devices.json, commit 74f27a1, 2026-08-22 (secondary: "
                "links the makers' own pages)"
            ),
        ),
    ),
    Product(
        name="toshiba",
        label="Toshiba",
        kind="printer",
        where="TopAccess: Administration > Setup > Network > SMTP Client",
        fields={
            "server": Label("SMTP Server Address", verified=False),
            "port": Label("Port Number", verified=False),
            "encryption": Label("Enable SSL/TLS", verified=False),
            "authentication": Label("Authentication", verified=False),
            "username": Label("Login Name", verified=False),
            "password": Label("Password", verified=False),
            "sender": Label("From Address (Email settings)", verified=False),
        },
        further={"maximum message size": Label("Maximum Email / InternetFax Size", verified=False)},
        encryption=Encryption("Disable", "STARTTLS", "Over SSL", verified=False),
        oauth=OAuth(
            smtp="unknown",
            by_model=True,
            note="Named in a 2026 guide as OAuth-capable by firmware; no statement of the maker by model was read.",
        ),
        confidence="memory",
        sources=(
            "guide 'SMTP Server for Office 365: Setup Guide (2026)'",
            "all labels are recalled",
        ),
    ),
    Product(
        name="xerox",
        label="Xerox",
        kind="printer",
        where=(
            "Embedded Web Server: Properties > Connectivity > Protocols > SMTP Server > General (newer: Properties > Apps > Email > Setup)"
        ),
        fields={
            "server": Label("SMTP server host name", verified=False),
            "port": Label("SMTP port", verified=False),
            "encryption": Label("Connection Encryption", verified=False),
            "authentication": Label("SMTP Authentication", verified=False),
            "username": Label("Login name", verified=False),
            "password": Label("Password", verified=False),
            "sender": Label("Device Email Address", verified=False),
        },
        further={"maximum message size": Label("Maximum Message Size", verified=False)},
        encryption=Encryption("No encryption", "STARTTLS", "SMTPS (SSL/TLS)", verified=False),
        oauth=OAuth(
            smtp="delegated",
            by_model=True,
            flow="device code",
            note=(
                "Device code on the supported list; client credentials only on the ConnectKey models named. Other "
                "models get no update. Affects Scan to Email, Internet Fax (send), Fax Forward, automatic "
                "notifications."
            ),
            app_only_models=(
                "VersaLink B415",
                "VersaLink C415",
                "VersaLink B620",
                "VersaLink C620",
                "VersaLink B625",
                "VersaLink C625",
                "AltaLink",
                "PrimeLink",
            ),
        ),
        confidence="secondary",
        sources=(
            "Xerox 'Exchange Online authentication', through ZeroSMTP data/devices.json",
            "Xerox WorkCentre 6015 CentreWare help 'Email Server Setup'",
            (
                "msgwing/ZeroSMTP docs/PRINTERS.md and data/devices.json, commit 74f27a1, 2026-08-22 (secondary: "
                "links the makers' own pages)"
            ),
            "labels marked as not verified are recalled",
        ),
        notes=(
            (
                "Old WorkCentre 6015: no encryption field at all; AUTH None, POP before SMTP, "
                "Plain/Login/CRAM-MD5/AUTO; user name <= 63, password <= 31 characters"
            ),
        ),
    ),
)
