"""What must never be shown, and the search for it.

    keep("the gateway's key", private_scalar(path))
    check("the proxy's log", text)          # AssertionError: names the secret and where it stands, never what it is

A secret is looked for by parts of it, so that a part alone is found as well, and one that lines divide: as it is, in
hexadecimal, and in base64 wherever in a longer text it begins. Whatever the fixtures of this process make is kept; harness.py
looks through what each process has said when it stops.
"""
import base64
import subprocess

PART_BYTES = 18     # 144 bits: nothing has them by chance

_kept = {}          # what is looked for -> whose it is


def parts(value):
    """Its beginning, its middle and its end."""
    assert len(value) >= PART_BYTES, f"{len(value)} bytes are too few to be looked for"
    end = len(value) - PART_BYTES
    return {value[start:start + PART_BYTES] for start in (0, end // 2, end)}


def forms(part):
    """{name: bytes}: as what it can stand somewhere."""
    found = {"as it is": part, "in hexadecimal": part.hex().encode(), "in capital hexadecimal": part.hex().upper().encode()}
    for shift in range(3):
        # The first and last digits also hold bits of what stands beside it.
        text = base64.b64encode(bytes(shift) + part)[4 if shift else 0:-4]
        found[f"in base64, {shift} later"] = text
        found[f"in base64url, {shift} later"] = text.replace(b"+", b"-").replace(b"/", b"_")
    return found


def keep(name, value):
    value = value.encode() if isinstance(value, str) else value
    for part in parts(value):
        _kept.update((text, f"{name} {form}") for form, text in forms(part).items())


def keep_token(token):
    """Of a token (JWS) the signature is what nobody else can make. As it is sent only: a run mints many."""
    signature = token.rpartition(".")[2].encode()
    if len(signature) >= PART_BYTES:
        _kept.update((part, "a token's signature") for part in parts(signature))


def private_scalar(path):
    """The 32 bytes that are the private key of a file with one on P-256."""
    der = subprocess.run(["openssl", "ec", "-in", str(path), "-outform", "DER"], check=True, capture_output=True).stdout
    start = der.index(b"\x02\x01\x01\x04\x20") + 5      # ECPrivateKey (RFC 5915): the version 1, then an OCTET STRING
    return der[start:start + 32]


def shown(data):
    """The names of the secrets that stand in it."""
    data = data.encode(errors="replace") if isinstance(data, str) else data
    return sorted({name for text, name in _kept.items() if text in data})


def check(where, data):
    found = shown(data)
    if found:
        raise AssertionError(f"{where} shows {', '.join(found)}")
