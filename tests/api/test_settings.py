import json
import os
import subprocess
import sys

import pytest

from api.settings import is_loopback, load
from api.threads import limit_threads
from domain.errors import BadInput


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "127.0.0.1.example.org"])
def test_the_local_issuer_never_listens_beyond_this_machine(host):
    with pytest.raises(BadInput, match="loopback"):
        load(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_is_where_it_may_listen(host):
    assert is_loopback(host)
    assert load(host=host).host == host


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"network": "random:5"}, "network"),
        ({"port": 70_000}, "port"),
        ({"seed": -1}, "seed"),
        ({"max_depth": 0}, "max_depth"),
    ],
)
def test_an_impossible_setting_is_named(given, named):
    with pytest.raises(BadInput, match=f"`{named}`"):
        load(**given)


def test_the_environment_sets_what_nobody_gives(monkeypatch):
    monkeypatch.setenv("NOCTURNE_PORT", "8123")
    assert (load().port, load(port=None).port, load(port=9).port) == (8123, 8123, 9)


def test_the_url_of_a_six_is_in_brackets():
    assert load(host="::1", port=1).url == "http://[::1]:1"


def test_threads_are_limited_before_numpy_comes_and_a_user_may_differ():
    code = (
        "from api.threads import limit_threads; import os, sys; limit_threads();"
        "print('numpy' in sys.modules, os.environ['OMP_NUM_THREADS'], os.environ['MKL_NUM_THREADS'])"
    )
    env = {name: value for name, value in os.environ.items() if "THREADS" not in name} | {"MKL_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.split() == ["False", "1", "2"]
    limit_threads()


PROVIDER = {"issuer": "https://id.example.org", "audience": "nocturne", "clients": ["cli"], "roles": {"noc": "noc"}}


def test_with_an_identity_provider_it_may_listen_beyond_this_machine():
    assert load(host="0.0.0.0", identity="oidc", oidc=PROVIDER).oidc.issuer == "https://id.example.org"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"identity": "oidc"}, "NOCTURNE_OIDC"),
        ({"oidc": PROVIDER}, "NOCTURNE_IDENTITY"),
        ({"identity": "oidc", "oidc": PROVIDER | {"issuer": "http://id.example.org"}}, "https"),
        ({"identity": "oidc", "oidc": PROVIDER | {"issuer": "https://id.example.org?x=1"}}, "without query"),
        ({"identity": "oidc", "oidc": PROVIDER | {"clients": []}}, "oidc.clients"),
        ({"identity": "oidc", "oidc": PROVIDER | {"roles": {}}}, "oidc.roles"),
        ({"identity": "oidc", "oidc": PROVIDER | {"roles": {"a": "god"}}}, "oidc.roles.a"),
        ({"identity": "oidc", "oidc": PROVIDER | {"algorithms": ["none"]}}, "oidc.algorithms"),
        ({"identity": "oidc", "oidc": PROVIDER | {"machines": ["cli"]}}, "not both"),
        ({"identity": "oidc", "oidc": PROVIDER | {"asked": "introspection"}}, "our_secret"),
        ({"identity": "oidc", "oidc": PROVIDER | {"leeway_s": 3600}}, "oidc.leeway_s"),
    ],
)
def test_a_provider_that_is_half_described_or_too_freely_believed_is_refused(given, reason):
    with pytest.raises(BadInput) as refused:
        load(**given)
    assert reason in refused.value.reason


def test_a_provider_is_described_by_one_variable_or_by_several_and_its_secret_is_not_shown(monkeypatch):
    monkeypatch.setenv("NOCTURNE_IDENTITY", "oidc")
    monkeypatch.setenv("NOCTURNE_OIDC", json.dumps(PROVIDER))
    monkeypatch.setenv("NOCTURNE_OIDC__OUR_SECRET", "hush")
    settings = load()
    assert settings.oidc.our_secret.get_secret_value() == "hush"
    assert "hush" not in repr(settings) + repr(settings.oidc) + str(settings.model_dump())


@pytest.mark.parametrize("text", ["{", "[]", "7", "x"])
def test_a_description_that_is_no_json_object_is_named(monkeypatch, text):
    monkeypatch.setenv("NOCTURNE_IDENTITY", "oidc")
    monkeypatch.setenv("NOCTURNE_OIDC", text)
    with pytest.raises(BadInput, match="oidc"):
        load()
