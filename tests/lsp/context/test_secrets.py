"""Secrets are found by content and by name, masked in place, and cost little to look for."""

from __future__ import annotations

import random
import string
import subprocess
import sys
import time
from pathlib import Path

import pytest

from completion.wire.environment import child_environment
from lsp.context.secrets import FILLER, masked, secret_in, secret_name, secrets_in

ALNUM, LOWER_HEX = string.ascii_letters + string.digits, "0123456789abcdef"
LOWER, UPPER = string.ascii_lowercase + string.digits, string.ascii_uppercase + string.digits
URL_SAFE, BASE64 = ALNUM + "-_", ALNUM + "+/"

# Made of parts, so that nobody's scanner takes this file for a leak.
ISSUED = {
    "AWS key id": ("AK" + "IA", UPPER, 16),
    "GitHub classic": ("gh" + "p_", ALNUM, 36),
    "GitHub fine-grained": ("github_" + "pat_", ALNUM, 60),
    "GitLab": ("gl" + "pat-", URL_SAFE, 20),
    "Google API": ("AI" + "za", URL_SAFE, 35),
    "Google OAuth": ("GOC" + "SPX-", URL_SAFE, 28),
    "OpenAI project": ("sk-" + "proj-", URL_SAFE, 80),
    "Anthropic": ("sk-" + "ant-api03-", URL_SAFE, 90),
    "Hugging Face": ("h" + "f_", string.ascii_letters, 34),
    "Stripe live": ("sk_" + "live_", ALNUM, 24),
    "Stripe test": ("sk_" + "test_", ALNUM, 40),
    "Slack bot": ("xox" + "b-123456789012-123456789012-", ALNUM, 24),
    "Slack app": ("xapp" + "-1-A0123456789-1234567890-", LOWER, 40),
    "npm": ("np" + "m_", ALNUM, 36),
    "PyPI": ("pypi-" + "AgEIcHlwaS5vcmc", URL_SAFE, 100),
    "SendGrid": ("S" + "G.", URL_SAFE, 22, ".", URL_SAFE, 43),
    "Twilio": ("S" + "K", LOWER_HEX, 32),
    "Mailchimp": ("", LOWER_HEX, 32, "-us12", "", 0),
    "DigitalOcean": ("do" + "p_v1_", LOWER_HEX, 64),
    "Shopify": ("shp" + "at_", LOWER_HEX, 32),
    "Databricks": ("da" + "pi", LOWER_HEX, 32),
    "Square": ("sq0" + "atp-", URL_SAFE, 22),
    "Telegram": ("123456789:" + "AA", URL_SAFE, 33),
    "Vault": ("hv" + "s.", URL_SAFE, 90),
    "Linear": ("lin_" + "api_", ALNUM, 40),
    "Docker Hub": ("dckr_" + "pat_", URL_SAFE, 27),
    "Grafana": ("gl" + "sa_", ALNUM, 41),
    "age": ("AGE-SECRET-" + "KEY-1", UPPER, 58),
    "Discord": ("M", ALNUM, 24, ".", URL_SAFE, 6, ".", URL_SAFE, 27),
    "JSON web token": ("ey" + "J", URL_SAFE, 30, ".ey" + "J", URL_SAFE, 60, ".", URL_SAFE, 43),
}
"""What issuers put in front of their keys, and what the rest is drawn from."""

NAMED = {
    "AWS secret": 'aws_secret_access_key = "{}"',
    "Azure storage": 'connection = "AccountName=a;AccountKey={}=="',
    "password": 'password = "{}"',
    "JSON": '  "client_secret": "{}",',
    "YAML": "db_password: {}",
    "shell": "export API_TOKEN={}",
    "typed": 'api_key: str = "{}"',
    "keyword": 'connect(user="a", password="{}")',
    "Go": '\tapiKey := "{}"',
    "environment": 'os.environ.setdefault("SERVICE_TOKEN", "{}")',
    "address": 'url = "postgres://admin:{}@db.internal:5432/x"',
    "header": 'h = {{"Authorization": "Bearer {}"}}',
}


def drawn(rng: random.Random, parts: tuple) -> str:
    out = parts[0]
    for n in range(1, len(parts), 3):
        out += "".join(rng.choices(parts[n], k=parts[n + 1])) if parts[n] else ""
        out += parts[n + 2] if n + 2 < len(parts) else ""
    return out


@pytest.mark.parametrize("kind", ISSUED)
def test_a_key_of_an_issuer_is_found_wherever_it_stands(kind):
    rng = random.Random(kind)
    for n in range(20):
        key = drawn(rng, ISSUED[kind])
        for line in (f'x = "{key}"\n', f"K={key}\n", f"  call('{key}', 1)\r\n", f"- {key}"):
            text = f"import os\n# é\n{line}".encode()
            assert key.encode() not in masked(text), (n, line)
            assert len(masked(text)) == len(text)


@pytest.mark.parametrize("kind", NAMED)
def test_a_value_that_a_name_gives_away_is_found(kind):
    rng = random.Random(kind)
    for _ in range(20):
        length = 86 if kind == "Azure storage" else 40
        value = "".join(rng.choices(ALNUM, k=length))
        text = (NAMED[kind].format(value) + "\n").encode()
        assert value.encode() not in masked(text), text


def test_a_private_key_is_hidden_from_its_first_line_to_its_last():
    body = "\n".join("".join(random.Random(n).choices(BASE64, k=64)) for n in range(25))
    for name in ("RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED "):
        key = f"-----BEGIN {name}PRIVATE KEY-----\n{body}\n-----END {name}PRIVATE KEY-----"
        hidden = masked(f"a = 1\nKEY = '''{key}'''\nb = 2\n".encode())
        assert body[:20].encode() not in hidden and body[-20:].encode() not in hidden
        assert hidden.startswith(b"a = 1\nKEY = '''") and hidden.endswith(b"'''\nb = 2\n")
        assert hidden.count(b"\n") == body.count("\n") + 5


def test_what_only_looks_like_a_secret_is_left():
    text = b"""
password = os.environ["PASSWORD"]
password = getpass()
token = "<your token>"
secret_key = settings.SECRET_KEY
"password": "string",
PASSWORD_FIELD = "password"
token = tokenizer.encode("hello world 123")
url = "https://example.com:8080/a@b"
commit = "3f786850e387550fdab836ed7e6dc881de23001b"
checksum = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
id = "550e8400-e29b-41d4-a716-446655440000"
public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ"
if token == "identifier": pass
secret_name = "caret-tokens-prod"
"""
    assert secrets_in(text) == ()


def test_masking_says_nothing_and_is_found_no_more():
    value = "hunter2!" + "x9" * 4
    text = f'password = "{value}"\n'.encode()
    once = masked(text)
    assert once == b'password = "' + FILLER * len(value) + b'"\n'
    assert secret_in(once) == "" and masked(once) == once


@pytest.mark.parametrize(
    "name",
    [".env", ".env.local", "prod.env", ".envrc", "id_rsa", "id_ed25519", "server.pem", "tls.key",
     "app.jks", "a.p12", ".npmrc", ".netrc", ".pgpass", "credentials", "credentials.json",
     "secrets.yaml", "client_secret.json", "terraform.tfstate", "x.tfvars", ".git-credentials",
     "kubeconfig", ".htpasswd", "vault.kdbx", "ID_RSA", "sub/dir/.env"],
)  # fmt: skip
def test_files_that_are_secret_by_name(name):
    assert secret_name(name)
    assert masked(b"A=1\nB=2\n", name) == b"***\n***\n"


@pytest.mark.parametrize(
    "name",
    [".env.example", ".env.sample", "environment.py", "env.py", "secrets.py", "secret.go", "keys.py",
     "id_rsa.pub", "credentials.py", "token.py", "keyboard.key.md", "monkey.py", "pem.py", "a.env.py"],
)  # fmt: skip
def test_files_that_are_code_whatever_they_are_called(name):
    assert not secret_name(name)


@pytest.mark.parametrize(
    "text",
    [b"a" * 250_000, b"://" * 40_000, b"sk-" * 40_000, b"password=" * 12_000, b"token: " * 20_000,
     b"eyJ" * 40_000, b"-----BEGIN " * 12_000, b"M" * 120_000, b'secret = "' * 12_000,
     b'("token",' * 12_000],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
def test_a_long_line_takes_time_in_proportion(text):
    def cost(data: bytes) -> float:
        began = time.thread_time()
        secrets_in(data)
        return time.thread_time() - began

    secrets_in(b"warm")
    part = text[: len(text) // 8]
    least, most = (min(cost(data + bytes([n])) for n in range(3)) for data in (part, text))
    assert most < 20 * least + 0.5


def test_importing_it_loads_no_detector():
    code = "import sys, lsp.context.secrets; print('detect_secrets' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=child_environment(), capture_output=True, text=True
    )
    assert done.stdout.strip() == "False"


def test_the_projects_own_code_is_nearly_all_shown():
    root = Path(__file__).parents[3]
    files = [p for top in ("lsp", "completion/server") for p in (root / top).rglob("*.py")]
    texts = [path.read_bytes() for path in files]
    found = [secret for text in texts for secret in secrets_in(text)]
    assert len(files) > 40 and not found
