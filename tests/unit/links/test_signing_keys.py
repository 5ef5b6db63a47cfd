"""The keys that sign links, and their rotation."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from mlops.links.signing_keys import (
    KEYS_LIFETIME_SECONDS,
    REREADING_SECONDS,
    RotatingKeys,
    SigningKeys,
    rotate_secret,
)
from mlops.models.errors import SettingsError


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"current": ""}',
        '{"current": "short"}',
        '{"current": 5}',
        '{"previous": "%s"}' % ("p" * 64),
    ],
)
def test_a_secret_without_a_good_current_key_is_an_error(text):
    with pytest.raises(SettingsError, match="needs an entry `current`"):
        SigningKeys.from_secret(text)


@dataclass
class ReadingsOfASecret:
    """A secret whose readings are counted, under a clock that tests set."""

    text: str = json.dumps({"current": "a" * 64})
    n_readings: int = 0
    seconds: float = 0.0

    def keys(self) -> RotatingKeys:
        return RotatingKeys(self.read, clock=lambda: self.seconds)

    def read(self) -> str:
        self.n_readings += 1
        return self.text


def test_a_rotation_arrives_within_a_minute_and_the_secret_is_not_read_on_every_visit():
    secret = ReadingsOfASecret()
    keys = secret.keys()
    assert keys.sign("x") == keys.sign("x") == SigningKeys((b"a" * 64,)).sign("x")
    assert secret.n_readings == 1
    secret.text, secret.seconds = rotate_secret(secret.text, "b" * 64), KEYS_LIFETIME_SECONDS + 1
    assert keys.sign("x") == SigningKeys((b"b" * 64,)).sign("x")
    assert secret.n_readings == 2


def test_what_the_new_key_signed_is_verified_at_once():
    secret = ReadingsOfASecret()
    page = secret.keys()
    assert page.verify("x", page.sign("x"))
    secret.text, secret.seconds = rotate_secret(secret.text, "b" * 64), REREADING_SECONDS + 0.1
    assert page.verify("x", secret.keys().sign("x"))
    assert page.verify("x", SigningKeys((b"a" * 64,)).sign("x"))


def test_forgeries_do_not_make_the_secret_be_read_again_and_again():
    secret = ReadingsOfASecret()
    page, forged = secret.keys(), SigningKeys((b"z" * 64,)).sign("x")
    assert not any(page.verify("x", forged) for _ in range(50))
    assert secret.n_readings == 1
    secret.seconds = REREADING_SECONDS + 0.1
    assert not any(page.verify("x", forged) for _ in range(50))
    assert secret.n_readings == 2


def test_a_rotated_secret_verifies_what_the_key_before_has_signed_and_nothing_older():
    signature = SigningKeys((b"a" * 32,)).sign("x")
    once = rotate_secret(json.dumps({"current": "a" * 32, "previous": "z" * 32}), "b" * 48)
    assert SigningKeys.from_secret(once).verify("x", signature)
    assert not SigningKeys.from_secret(once).verify("x", SigningKeys((b"z" * 32,)).sign("x"))
    twice = rotate_secret(once, "c" * 48)
    assert not SigningKeys.from_secret(twice).verify("x", signature)


def test_a_secret_has_two_keys_at_most():
    secret = json.dumps({"current": "a" * 32, "previous": "b" * 32, "older": "c" * 32})
    assert not SigningKeys.from_secret(secret).verify("x", SigningKeys((b"c" * 32,)).sign("x"))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{}", "b" * 48),
        ("no secret", "b" * 48),
        ('{"current": "short"}', "b" * 48),
        (json.dumps({"current": "a" * 32}), "short"),
    ],
)
def test_nothing_is_rotated_to_or_from_a_key_that_does_not_sign(text, key):
    with pytest.raises(SettingsError, match="current"):
        rotate_secret(text, key)


def test_a_signature_names_its_key_and_a_bare_one_of_an_earlier_release_is_tried_with_each():
    old, new = b"a" * 48, b"b" * 48
    signature = SigningKeys((old,)).sign("x")
    key_id, _, mac = signature.partition(".")
    assert len(key_id) == 8
    for accepted in (signature, mac):
        assert SigningKeys((new, old)).verify("x", accepted)
        assert not SigningKeys((new,)).verify("x", accepted)
    assert SigningKeys((new,)).sign("x").partition(".")[0] != key_id


def test_a_signature_under_the_name_of_another_key_is_refused():
    keys = SigningKeys((b"a" * 48, b"b" * 48))
    signature, other = (SigningKeys((key,)).sign("x") for key in keys.keys)
    renamed = f"{other.partition('.')[0]}.{signature.partition('.')[2]}"
    assert not keys.verify("x", renamed)
