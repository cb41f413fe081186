"""Keys, private keys and passwords of the right shape, from random characters.

    Vendor("github", ("gh", "p_"), "alnum", 36)  ->  the prefix, then 36 letters and digits

Prefixes stand in two pieces, so that nothing in this file looks like a key.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from benchmarks.audit.bed import Bed, Defect, Row, insert
from benchmarks.audit.dice import DIGITS, LOWER, UPPER, Dice

_HEX = DIGITS + "abcdef"
_ALPHABETS = {
    "alnum": DIGITS + LOWER + UPPER,
    "url": DIGITS + LOWER + UPPER + "_-",
    "base64": DIGITS + LOWER + UPPER + "+/",
    "hex": _HEX,
    "upper": UPPER + DIGITS,
    "base32": UPPER + "234567",
    "lower": LOWER + DIGITS,
}


@dataclass(frozen=True, slots=True)
class Vendor:
    """How somebody's keys look: text in pairs stands for prefixes, numbers for characters."""

    name: str
    prefix: tuple[str, str]
    alphabet: str
    length: int
    tail: str = ""

    def key(self, dice: Dice) -> str:
        """A key that nobody was given."""
        return "".join(self.prefix) + dice.text(_ALPHABETS[self.alphabet], self.length) + self.tail


VENDORS = (
    Vendor("aws access key", ("AK", "IA"), "base32", 16),
    Vendor("aws session key", ("AS", "IA"), "base32", 16),
    Vendor("github token", ("gh", "p_"), "alnum", 36),
    Vendor("github app token", ("gh", "s_"), "alnum", 36),
    Vendor("github fine-grained", ("github", "_pat_"), "alnum", 82),
    Vendor("gitlab", ("gl", "pat-"), "url", 20),
    Vendor("slack bot", ("xo", "xb-"), "alnum", 48),
    Vendor("slack user", ("xo", "xp-"), "alnum", 60),
    Vendor("stripe live", ("sk_", "live_"), "alnum", 24),
    Vendor("stripe restricted", ("rk_", "live_"), "alnum", 24),
    Vendor("google", ("AI", "za"), "url", 35),
    Vendor("google oauth", ("GOC", "SPX-"), "url", 28),
    Vendor("openai project", ("sk-", "proj-"), "url", 100),
    Vendor("openai", ("s", "k-"), "alnum", 48),
    Vendor("anthropic", ("sk-", "ant-api03-"), "url", 93),
    Vendor("hugging face", ("h", "f_"), "alnum", 34),
    Vendor("npm", ("np", "m_"), "alnum", 36),
    Vendor("pypi", ("py", "pi-AgEIcHlwaS5vcmc"), "url", 100),
    Vendor("sendgrid", ("S", "G."), "url", 22),
    Vendor("twilio", ("S", "K"), "hex", 32),
    Vendor("mailgun", ("ke", "y-"), "hex", 32),
    Vendor("digitalocean", ("do", "p_v1_"), "hex", 64),
    Vendor("shopify", ("sh", "pat_"), "hex", 32),
    Vendor("databricks", ("da", "pi"), "hex", 32),
    Vendor("grafana", ("gl", "sa_"), "alnum", 32),
    Vendor("linear", ("lin_", "api_"), "alnum", 40),
    Vendor("square", ("sq0", "atp-"), "url", 22),
    Vendor("new relic", ("NR", "AK-"), "upper", 27),
    Vendor("doppler", ("dp", ".pt."), "alnum", 43),
    Vendor("vault", ("hv", "s."), "url", 90),
    Vendor("atlassian", ("ATA", "TT3xFfGF0"), "url", 180),
    Vendor("groq", ("gs", "k_"), "alnum", 52),
    Vendor("replicate", ("r8", "_"), "alnum", 37),
)
_SENTENCES = (
    "Set the key to {} before the call.",
    "export API_KEY={}",
    'client = Client(api_key="{}")',
    "Authorization: Bearer {}",
    "My token is {} - does it still work?",
    '{{"token": "{}"}}',
    "curl -H 'X-Api-Key: {}' https://api.example.org/v1/items",
    "I pasted {} into the settings page.",
)
_GENERIC = (
    'api_key = "{}"',
    "SECRET_KEY={}",
    'password: "{}"',
    "client_secret: {}",
    'auth_token = "{}"',
    "access_token={}",
)
_URLS = (
    "postgres{sep}{user}:{word}@db.{host}.org:5432/shop",
    "https{sep}{user}:{word}@git.{host}.com/team/tool.git",
    "mongodb+srv{sep}{user}:{word}@cluster0.{host}.net/app",
    "redis{sep}:{word}@cache.{host}.io:6379/0",
    "mysql{sep}{user}:{word}@10.4.2.8/{host}",
    "amqp{sep}{user}:{word}@queue.{host}.org:5672",
    "ftp{sep}{user}:{word}@files.{host}.de/in",
    "smtp{sep}{user}:{word}@mail.{host}.co.uk:587",
)
_URL_SENTENCES = ("Connect to {}.", "DATABASE_URL={}", "The address is {} on the server.",
                  "git clone {}")  # fmt: skip
_PEM = ("RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "PRIVATE KEY",
        "DSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PGP PRIVATE KEY BLOCK",
        "RSA PRIVATE KEY")  # fmt: skip
_HARMLESS = (
    "Set the key to YOUR_API_KEY_GOES_HERE_PLEASE before the call.",
    "export API_KEY=<your-api-key-from-the-settings-page>",
    "The commit is 9fceb02d0ae598e95dc970b74767f19372d61af8 on main.",
    "The checksum is d41d8cd98f00b204e9800998ecf8427e for the empty file.",
    'api_key = os.environ["SERVICE_API_KEY_PRODUCTION"]',
    "The id is 6f1c2a9e-0b5d-4c8e-9f3a-7d2b1e4c5a60, as shown.",
    "Use sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx as in the manual.",
    "password: ****************",
    "Connect to postgres://user:${DB_PASSWORD}@localhost/shop.",
    "Connect to https://example.org:8443/a@b for the list.",
    "The word antidisestablishmentarianism has twenty-eight letters.",
    "Call get_secret_access_token_from_keyring_or_prompt(user) first.",
    "The file is data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ here.",
    "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= is the hash of nothing.",
    "The gene is NM_001354689.3:c.1521_1523delCTT (p.Phe508del).",
    "A password should have at least twelve characters and no name in it.",
    "-----BEGIN PUBLIC KEY----- is how a public key starts.",
    "The track is called sk8_or_die_forever_and_ever_again_2020.",
)
SILENT = ("api_key", "private_key", "password")


def plant_keys(bed: Bed) -> None:
    """Keys of every vendor, generic secrets, private keys, passwords in URLs, near misses."""
    dice = bed.dice
    for vendor in VENDORS:
        key = dice.value(vendor.key if vendor.name != "sendgrid" else _sendgrid)
        _say(bed, "api_key", vendor.name, dice.of(_SENTENCES), key)
    for name, make in (("azure storage", _azure), ("json web token", _jwt),
                       ("telegram bot", _telegram), ("discord bot", _discord)):  # fmt: skip
        _say(bed, "api_key", name, dice.of(_SENTENCES), dice.value(make))
    for alphabet, length in (("alnum", 32), ("hex", 40), ("url", 43), ("base64", 40)):
        key = dice.value(lambda d, a=alphabet, n=length: d.text(_ALPHABETS[a], n))
        _say(bed, "api_key", f"no prefix, {alphabet}", dice.of(_GENERIC), key,
             accept=("password",), exact=False)  # fmt: skip
    for _ in range(6):
        _plant_url(bed)
        _plant_pem(bed)
    for sentence in dice.own(_HARMLESS):
        row = bed.take()
        row.put("answer", insert(row.text("answer"), sentence, dice))
        for rule in SILENT:
            bed.plant(Defect(rule=rule, variant="harmless sentence", rows=(row,), near_miss=True,
                             note=sentence[:24]))  # fmt: skip


def _sendgrid(dice: Dice) -> str:
    return f"{'S'}G.{dice.text(_ALPHABETS['url'], 22)}.{dice.text(_ALPHABETS['url'], 43)}"


def _azure(dice: Dice) -> str:
    return "Account" + "Key=" + dice.text(_ALPHABETS["base64"], 86) + "=="


def _telegram(dice: Dice) -> str:
    return f"{dice.digits(10, first='123456789')}:AA{dice.text(_ALPHABETS['url'], 33)}"


def _postman(dice: Dice) -> str:
    return f"{'PM'}AK-{dice.text(_HEX, 24)}-{dice.text(_HEX, 34)}"


def _discord(dice: Dice) -> str:
    alphabet = _ALPHABETS["url"]
    number = _encoded(dice.digits(18, first="123456789"))
    return f"{number}.{dice.text(alphabet, 6)}.{dice.text(alphabet, 27)}"


def _jwt(dice: Dice) -> str:
    head = _encoded('{"alg":"HS256","typ":"JWT"}')
    body = _encoded(f'{{"sub":"{dice.digits(10)}","iat":{dice.digits(10, first="1")}}}')
    return f"{head}.{body}.{dice.text(_ALPHABETS['url'], 43)}"


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _plant_url(bed: Bed) -> None:
    dice = bed.dice
    word = dice.value(lambda d: d.text(_ALPHABETS["alnum"], d.number(6, 9)) + d.text("!$*_", 1)
                      + d.text(DIGITS, 2))  # fmt: skip
    url = dice.of(_URLS).format(
        sep="://", user=dice.text(LOWER, 5), word=word, host=dice.text(LOWER, 7)
    )
    _say(bed, "password", "in a URL", dice.of(_URL_SENTENCES), url, value=word)


def _plant_pem(bed: Bed) -> None:
    dice = bed.dice
    name = dice.of(_PEM)
    lines = [dice.text(_ALPHABETS["base64"], 64) for _ in range(dice.number(3, 20))]
    text = "\n".join((f"-----BEGIN {name}-----", *lines, f"-----END {name}-----"))
    if dice.chance(0.3):
        text = text.replace("\n", "\\n")
    row = bed.take()
    row.put("answer", row.text("answer") + "\n" + text)
    bed.plant(Defect(rule="private_key", variant=name.lower(), rows=(row,), value=lines[1]))


def _say(
    bed: Bed, rule: str, variant: str, sentence: str, key: str, *,
    value: str = "", exact: bool = True, accept: tuple[str, ...] = (),
) -> Row:  # fmt: skip
    row = bed.take()
    part = "question" if bed.dice.chance(0.3) else "answer"
    text = sentence.replace("{{", "{").replace("}}", "}").replace("{}", key)
    row.put(part, insert(row.text(part), text, bed.dice))
    bed.plant(
        Defect(rule=rule, variant=variant, exact=exact, rows=(row,), accept=accept,
               value=value or key, note=sentence)
    )  # fmt: skip
    return row
