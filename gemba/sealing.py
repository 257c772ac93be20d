"""Secrets of other systems, encrypted at rest with a key derived from the settings.

Fernet (AES-128-CBC and HMAC-SHA256) with HKDF-SHA256 of GEMBA_SECRET_KEY. After that key was changed, the
one before is still read from GEMBA_SECRET_KEY_BEFORE until `gemba trackers rotate-key` has been run.
"""

import base64
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gemba.config import Settings
from gemba.errors import Refused

INFO = b"gemba tracker credentials v1"


class KeyChanged(Refused):
    """The token of this tracker cannot be read any more: the secret key was changed. Give the token again."""

    code = "key-changed"


def _fernet(secret: str) -> Fernet:
    key = HKDF(SHA256(), 32, None, INFO).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))


def _box(settings: Settings) -> MultiFernet:
    keys = [settings.secret_key, *([settings.secret_key_before] if settings.secret_key_before else [])]
    return MultiFernet([_fernet(key) for key in keys])


def seal(settings: Settings, credentials: Mapping[str, str]) -> str:
    """The credentials as they are stored."""
    return _box(settings).encrypt(json.dumps(dict(credentials)).encode()).decode()


def unseal(settings: Settings, stored: str) -> dict[str, str]:
    """The credentials again. Raises KeyChanged."""
    try:
        found: dict[str, str] = json.loads(_box(settings).decrypt(stored.encode()))
    except InvalidToken:
        raise KeyChanged from None
    return found


def reseal(settings: Settings, stored: str) -> str:
    """The same credentials under the newest key. Raises KeyChanged."""
    try:
        return _box(settings).rotate(stored.encode()).decode()
    except InvalidToken:
        raise KeyChanged from None
