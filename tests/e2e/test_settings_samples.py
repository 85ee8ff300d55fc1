"""The samples of settings sheets send a message as they are printed: Python, PHP, Node.js, Java, Django, Rails, msmtp and swaks.

Those of Postfix and Exim do so on booted hosts (tests/hosts). Of others the syntax and the values are checked by their language.

What a computer has to trust, and where it finds a library, is of its environment: the emulator's authority takes the place of a public one.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._products.sample import PARSED, RUN
from ansible_collections.mailops.m365.plugins.module_utils._products.samples import SAMPLES
from ansible_collections.mailops.m365.plugins.module_utils._sheets import markdown
from ansible_collections.mailops.m365.plugins.module_utils._sheets.sheet import sheet

from tests.emulator.conftest import TENANT as TENANT_ID
from tests.emulator.conftest import Api, KeyPair, Start, app_id
from tests.emulator.smtp_lab import OPS, PASSWORD
from tests.emulator.test_foreign_mailers import NODEMAILER, PHPMAILER
from tests.emulator.test_smtp_clients_whole import TENANT
from tests.unit.plugins.module_utils._products.test_samples import PARSED_BY_PYTHON

pytestmark = [pytest.mark.one_python_is_enough]
JAKARTA = [Path("/usr/share/java") / name for name in ("jakarta-mail.jar", "jakarta-activation.jar")]
ON_HOSTS = ["exim", "postfix"]
PROGRAMS = [name for name, sample in SAMPLES.items() if sample.verified == RUN and name not in ON_HOSTS]
VIA = {"password": "submission-login", "oauth": "submission"}
CASES = [
    *((product, kind) for product in PROGRAMS for kind in VIA if kind == "password" or SAMPLES[product].has_oauth),
    ("python_smtplib", "certificate"),
]


def state(key_pair: KeyPair, **mailbox: Any) -> dict[str, Any]:
    """A tenant whose sender app has a certificate, too. `mailbox`: changes of its mailbox."""
    [sender], [ops] = TENANT["applications"], TENANT["mailboxes"]
    return TENANT | {"applications": [sender | {"certificates": [{"pem": key_pair.pem}]}], "mailboxes": [ops | mailbox]}


@pytest.fixture
def api(start: Start, key_pair: KeyPair) -> Api:
    return start(tenant=state(key_pair))


@pytest.fixture
def home(tmp_path: Path, key_pair: KeyPair) -> Path:
    """A home directory with the key of the sender app."""
    (tmp_path / "sender.pem").write_text(key_pair.private_pem + key_pair.pem)
    return tmp_path


def entry(api: Api, product: str, authentication: str, host: str = "localhost") -> dict[str, Any]:
    """An item of the plan whose server is the emulator."""
    cloud = api.emulator.cloud
    authority = f"{cloud['authority']}/{TENANT_ID}"
    oauth = {
        "tenant_id": TENANT_ID,
        "authority": authority,
        "token_url": f"{authority}/oauth2/v2.0/token",
        "scope": "https://outlook.office365.com/.default",
        "delegated_scope": "",
        "credential": f"{'certificate' if authentication == 'certificate' else 'client secret'} in the vault",
        "app": "sender",
        "client_id": app_id("sender"),
    }
    settings = {"server": host, "port": cloud["smtp_port"], "from": OPS, "user": OPS, "encryption": "STARTTLS", "password": "elsewhere"}
    return {
        "name": "Sender",
        "address": OPS,
        "kind": "application",
        "product": product,
        "method": "basic" if authentication == "password" else "oauth",
        "reason": "set in the inventory",
        "settings": settings | {"oauth": None if authentication == "password" else oauth},
    }


def printed(api: Api, product: str, authentication: str) -> str:
    """The sample as the Markdown sheet has it."""
    text = markdown.render(sheet("contoso", entry(api, product, authentication)))
    language = SAMPLES[product].language
    [sample] = re.findall(rf"## Sample.*?```{language}\n(.*?)\n```", text, re.DOTALL)
    return str(sample) + "\n"


def environment(api: Api, directory: Path) -> dict[str, str]:
    """Secrets where a sheet says that they are, and the emulator's authority as trusted."""
    ca = str(api.emulator.cloud["ca_file"])
    secrets = {"SMTP_PASSWORD": PASSWORD, "CLIENT_SECRET": "sender-secret", "CLIENT_CERTIFICATE": str(directory / "sender.pem")}
    trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE"), ca)
    return {"PATH": os.environ["PATH"], "HOME": str(directory), "LC_ALL": "C.UTF-8", **secrets, **trust}


def program(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed (Debian package {package})")
    return path


def python_smtplib(api: Api, directory: Path, sample: Path) -> list[str]:
    return [sys.executable, str(sample)]


def phpmailer(api: Api, directory: Path, sample: Path) -> list[str]:
    php = program("php", "php-cli")
    if not PHPMAILER.exists():
        pytest.skip("PHPMailer is not installed (Debian packages php-cli, php-mbstring, libphp-phpmailer)")
    (directory / "vendor").mkdir()
    (directory / "vendor/autoload.php").write_text(f"<?php require '{PHPMAILER}';\n")
    return [php, "-d", f"openssl.cafile={api.emulator.cloud['ca_file']}", str(sample)]


def nodemailer(api: Api, directory: Path, sample: Path) -> list[str]:
    node, module = program("node", "nodejs"), next((path for path in NODEMAILER if path.exists()), None)
    if module is None:
        pytest.skip("nodemailer is not there (make test-emulator fetches it with npm; Debian packages nodejs, node-nodemailer)")
    (directory / "node_modules").mkdir()
    (directory / "node_modules/nodemailer").symlink_to(module)
    return [node, str(sample)]


def jakarta_mail(api: Api, directory: Path, sample: Path) -> list[str]:
    java, keytool, _compiler = (program(name, "default-jdk-headless") for name in ("java", "keytool", "javac"))
    if not all(path.exists() for path in JAKARTA):
        pytest.skip("jakarta-mail.jar is not installed (Debian package libjakarta-mail-java)")
    store = directory / "trust.p12"
    ca = str(api.emulator.cloud["ca_file"])
    create = [keytool, "-importcert", "-noprompt", "-alias", "ca", "-file", ca, "-keystore", str(store), "-storepass", "changeit"]
    subprocess.run(create, check=True, capture_output=True)
    trust = [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit"]
    return [java, "-cp", ":".join(map(str, JAKARTA)), *trust, str(sample)]


def django(api: Api, directory: Path, sample: Path) -> list[str]:
    """A project whose settings are the sample."""
    code = f"from django.core.mail import send_mail; send_mail('Test message', 'Text.', None, ['{OPS}'])"
    return [sys.executable, "-c", f"import os; os.environ['DJANGO_SETTINGS_MODULE'] = '{sample.stem}'; {code}"]


def msmtp(api: Api, directory: Path, sample: Path) -> list[str]:
    (directory / ".msmtp-password").write_text(f"{PASSWORD}\n")
    (directory / ".msmtp-secret").write_text("sender-secret")
    for name in ("curl", "jq"):
        program(name, name)
    sample.chmod(0o600)  # msmtp requires it
    return [program("msmtp", "msmtp"), f"--tls-trust-file={api.emulator.cloud['ca_file']}", OPS]


# The program of a Rails application without the application: it reads its configuration, as Rails does at its start, and sends.
MAILER = f"""
require 'action_mailer'
config = Struct.new(:action_mailer).new(Struct.new(:smtp_settings, :default_options).new)
eval(File.read(ARGV[0]), binding)
ActionMailer::Base.smtp_settings = config.action_mailer.smtp_settings
ActionMailer::Base.default_options = config.action_mailer.default_options
class TestMailer < ActionMailer::Base
  def test_message
    mail(to: '{OPS}', subject: 'Test message', body: 'Sent with Rails.', content_type: 'text/plain')
  end
end
TestMailer.test_message.deliver_now
"""


def rails(api: Api, directory: Path, sample: Path) -> list[str]:
    ruby = program("ruby", "ruby")
    if subprocess.run([ruby, "-e", "require 'action_mailer'"], check=False, capture_output=True).returncode:
        pytest.skip("Action Mailer is not installed (Debian package ruby-actionmailer)")
    return [ruby, "-e", MAILER, str(sample)]


COMMANDS = {one.__name__: one for one in (python_smtplib, phpmailer, nodemailer, jakarta_mail, django, msmtp, rails)}


def test_every_sample_that_is_called_run_is_run() -> None:
    assert sorted(COMMANDS) == sorted(PROGRAMS)


def send(api: Api, directory: Path, product: str, authentication: str) -> subprocess.CompletedProcess[str]:
    sample = directory / Path(SAMPLES[product].file).name
    sample.write_text(printed(api, product, authentication))
    command = COMMANDS[product](api, directory, sample)
    message = f"From: {OPS}\nTo: {OPS}\nSubject: Test message\n\nSent with msmtp.\n" if product == "msmtp" else ""
    return subprocess.run(
        command, input=message, capture_output=True, text=True, cwd=directory, env=environment(api, directory), timeout=300, check=False
    )


@pytest.mark.tier_test
@pytest.mark.parametrize(("product", "authentication"), CASES)
def test_sample_sends_as_it_is_printed(api: Api, home: Path, product: str, authentication: str) -> None:
    done = send(api, home, product, authentication)
    assert done.returncode == 0, done.stdout + done.stderr
    (message,) = api.admin.messages(recipient=OPS)
    assert (message["via"], message["authenticated_as"]) == (VIA.get(authentication, "submission"), OPS)
    assert message["app_id"] == (None if authentication == "password" else app_id("sender"))
    assert "Subject: Test message" in api.admin.raw_message(message["number"]).decode()


@pytest.mark.tier_all
@pytest.mark.parametrize(("product", "authentication"), CASES)
def test_sample_says_that_it_was_refused(start: Start, home: Path, key_pair: KeyPair, product: str, authentication: str) -> None:
    """A refusal is no silent success: SMTP AUTH of the mailbox is off."""
    api = start(tenant=state(key_pair, smtp_client_authentication_disabled=True))
    done = send(api, home, product, authentication)
    assert done.returncode != 0
    assert done.stdout + done.stderr
    assert api.admin.messages() == []
    for secret in (PASSWORD, "sender-secret"):
        assert secret not in done.stdout + done.stderr


WEBSITES = ("wp_mail_smtp", "post_smtp", "fluent_smtp")
# A mail address may have what ends a text in many languages.
HOSTILE = "o'neil\\$x`id`{y}@contoso.com"
VALUES: dict[str, str | int] = {"host": "relay.contoso.com", "port": 587, "user": HOSTILE, "sender": HOSTILE}
# How the language of a product reads its sample: the settings as JSON.
READ_PHP = "echo json_encode(array(\n%s));"
READ_RUBY = "require 'json'; gitlab_rails = {}; eval(File.read(ARGV[0]), binding); puts gitlab_rails.to_json"
READ_JAVA = """
import java.io.FileReader;
import java.util.Properties;

public class Read {
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.load(new FileReader(arguments[0]));
        properties.forEach((name, value) -> System.out.println(name + "\\t" + value));
    }
}
"""


def read(command: list[str]) -> str:
    environment = {"PATH": os.environ["PATH"], "SMTP_PASSWORD": PASSWORD, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def nextcloud(directory: Path, sample: Path) -> dict[str, Any]:
    return dict(json.loads(read([program("php", "php-cli"), "-r", READ_PHP % sample.read_text()])))


def gitlab(directory: Path, sample: Path) -> dict[str, Any]:
    return dict(json.loads(read([program("ruby", "ruby"), "-e", READ_RUBY, str(sample)])))


def spring_boot(directory: Path, sample: Path) -> dict[str, Any]:
    (directory / "Read.java").write_text(READ_JAVA)
    java, _compiler = (program(name, "default-jdk-headless") for name in ("java", "javac"))
    return dict(line.split("\t") for line in read([java, str(directory / "Read.java"), str(sample)]).splitlines())


READERS = {one.__name__: one for one in (nextcloud, gitlab, spring_boot)}
PASSWORDS = {"nextcloud": "PASSWORD", "gitlab": PASSWORD, "spring_boot": "${SMTP_PASSWORD}"}


def test_every_sample_that_is_called_parsed_is_parsed() -> None:
    assert sorted([*READERS, *WEBSITES, *PARSED_BY_PYTHON]) == sorted(name for name, sample in SAMPLES.items() if sample.verified == PARSED)


@pytest.mark.tier_test
@pytest.mark.parametrize("product", READERS)
def test_settings_are_read_as_they_are_meant(product: str, tmp_path: Path) -> None:
    sample = tmp_path / "sample"
    sample.write_text(SAMPLES[product].render("password", VALUES))
    settings = READERS[product](tmp_path, sample)
    assert {"relay.contoso.com", HOSTILE, PASSWORDS[product]} <= set(settings.values())
    assert {587, "587"} & set(settings.values())


@pytest.mark.tier_test
@pytest.mark.parametrize("product", WEBSITES)
def test_constants_of_a_website_are_php(product: str, tmp_path: Path) -> None:
    php = program("php", "php-cli")
    code = SAMPLES[product].render("password", VALUES)
    names = re.findall(r"define\('(\w+)'", code)
    script = tmp_path / "wp-config.php"
    script.write_text(f"<?php\n{code}\necho json_encode(array_map('constant', {json.dumps(names)}));\n")
    constants = dict(zip(names, json.loads(read([php, str(script)])), strict=True))
    assert HOSTILE in constants.values()
    assert PASSWORD in constants.values()


@pytest.mark.tier_test
def test_command_of_a_sheet_sends_without_authentication(start: Start, tmp_path: Path) -> None:
    program("swaks", "swaks")
    connector = {"name": "office", "ConnectorType": "OnPremises", "SenderDomains": ["*"], "SenderIPAddresses": ["127.0.0.1"]}
    api = start(tenant=TENANT | {"inbound_connectors": [connector]})
    assert _swaks(api, tmp_path, api.emulator.cloud["mx_port"], user="").returncode == 0
    (message,) = api.admin.messages(recipient=OPS)
    assert message["connector"] == "office"


@pytest.mark.tier_test
def test_command_of_a_sheet_asks_for_the_password(api: Api, tmp_path: Path) -> None:
    program("swaks", "swaks")
    done = _swaks(api, tmp_path, api.emulator.cloud["smtp_port"], user=OPS)
    assert done.returncode == 0, done.stdout
    (message,) = api.admin.messages(recipient=OPS)
    assert message["via"] == "submission-login"


def _swaks(api: Api, directory: Path, port: int, user: str) -> subprocess.CompletedProcess[str]:
    """Run the command of the sheet of a sender without a product, with the password as the input that it asks for."""
    one = entry(api, "", "password", host="127.0.0.1")
    one["settings"] |= {"port": port, "user": user}
    text = markdown.render(sheet("contoso", one))
    [command] = re.findall(r"```console\n(swaks .*)\n```", text)
    return subprocess.run(
        shlex.split(command),
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        env=environment(api, directory),
        timeout=120,
        check=False,
    )
