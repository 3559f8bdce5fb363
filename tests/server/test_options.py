"""One dataclass of options: flags, variables, file, defaults, and the page that documents them."""

from __future__ import annotations

import argparse

import pytest

from gigastt_lab.server.config import ConfigSource, ServerConfig
from gigastt_lab.server.documentation import cli_page
from gigastt_lab.server.option import OptionError, add_flags, options_of
from tests.support.paths import DOCS

OPTIONS = {each.name: each for each in options_of(ServerConfig)}


def config_of(*flags, **environment):
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_flags(parser, ServerConfig)
    return ConfigSource(vars(parser.parse_args(flags)), environment).read()


def test_defaults_are_those_of_gigastt():
    config = config_of()
    assert (config.host, config.port, config.pool_size) == ("127.0.0.1", 9876, 4)
    assert (config.idle_timeout_secs, config.max_session_secs, config.shutdown_drain_secs) == (300, 3600, 10)
    assert (config.ws_frame_max_bytes, config.body_limit_bytes) == (512 * 1024, 50 * 1024 * 1024)
    assert (config.rate_limit_per_minute, config.rate_limit_burst) == (0, 10)
    assert (config.pool_checkout_timeout_secs, config.max_audio_secs) == (30, 600)
    assert not any((config.metrics, config.bind_all, config.cors_allow_any, config.trust_proxy))


@pytest.mark.parametrize(
    "variable",
    [
        "GIGASTT_IDLE_TIMEOUT_SECS", "GIGASTT_WS_FRAME_MAX_BYTES", "GIGASTT_BODY_LIMIT_BYTES",
        "GIGASTT_METRICS",
        "GIGASTT_RATE_LIMIT_PER_MINUTE", "GIGASTT_RATE_LIMIT_BURST", "GIGASTT_MAX_SESSION_SECS",
        "GIGASTT_SHUTDOWN_DRAIN_SECS", "GIGASTT_POOL_CHECKOUT_TIMEOUT_SECS", "GIGASTT_SKIP_QUANTIZE",
        "GIGASTT_TRUST_PROXY", "GIGASTT_ALLOW_BIND_ANY", "GIGASTT_MODEL_DIR",
    ],
)  # fmt: skip
def test_gigastts_variables_are_known(variable):
    assert variable in {each.variable for each in OPTIONS.values()}


def other_value(option):
    """A value that is not the default, and how it is written."""
    if option.choices:
        value = next(choice for choice in option.choices if choice != option.default)
        return value, value
    return {
        bool: (True, "1"),
        int: (7, "7"),
        float: (7.5, "7.5"),
        str: ("127.0.0.9", "127.0.0.9"),
        tuple: (("https://a.example", "http://b"), "https://a.example, http://b"),
    }[option.kind]


@pytest.mark.parametrize("name", [name for name in OPTIONS if name != "config"])
def test_every_option_has_a_flag_a_variable_and_a_key(name, tmp_path):
    option = OPTIONS[name]
    value, text = other_value(option)
    flags = [option.flag] if option.kind is bool else [option.flag, text]
    if option.kind is tuple:
        flags = [part for each in value for part in (option.flag, each)]
    file = tmp_path / "c.toml"
    toml = list(value) if option.kind is tuple else "true" if value is True else value
    file.write_text(f"{name} = {toml!r}\n".replace("'true'", "true"), encoding="utf-8")
    assert getattr(config_of(*flags), name) == value
    assert getattr(config_of(**{option.variable: text}), name) == value
    assert getattr(config_of("--config", str(file)), name) == value


def test_an_empty_variable_is_none(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text("metrics = true\n", encoding="utf-8")
    assert config_of("--config", str(file), GIGASTT_METRICS="", GIGASTT_PORT="").metrics
    assert not config_of("--config", str(file), GIGASTT_METRICS="0").metrics


def test_flags_go_before_variables_before_the_file_before_defaults(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text("pool_size = 2\nport = 1000\nidle_timeout_secs = 5\n", encoding="utf-8")
    config = config_of("--port", "3000", GIGASTT_CONFIG=str(file), GIGASTT_PORT="2000", GIGASTT_POOL_SIZE="3")
    assert (config.port, config.pool_size, config.idle_timeout_secs, config.rate_limit_burst) == (
        3000,
        3,
        5.0,
        10,
    )


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"GIGASTT_POOL_SIZE": "four"}, r"\$GIGASTT_POOL_SIZE is 'four'; give a whole number"),
        ({"GIGASTT_POOL_SIZE": "0"}, r"\$GIGASTT_POOL_SIZE is 0; give 1 to 1024"),
        ({"GIGASTT_METRICS": "perhaps"}, r"\$GIGASTT_METRICS is 'perhaps'; give 1 or 0"),
        ({"GIGASTT_LOG_LEVEL": "loud"}, r"choose one of debug, info"),
        ({"GIGASTT_IDLE_TIMEOUT_SECS": "nan"}, r"is nan; give 0.1 to 86400"),
        ({"GIGASTT_RATE_LIMIT_PER_MINUTE": "5", "GIGASTT_RATE_LIMIT_BURST": "0"}, "--rate-limit-burst is 0"),
        ({"GIGASTT_HOST": "0.0.0.0"}, "--bind-all"),
        ({"GIGASTT_MAX_SESSION_SECS": "inf"}, "is inf; give 0 or more"),
        ({"GIGASTT_ALLOW_ORIGIN": "app.example.com"}, "is no origin; give https://name"),
        ({"GIGASTT_ALLOW_ORIGIN": "https://a.example/path"}, "is no origin"),
        ({"GIGASTT_CONFIG": "nowhere.toml"}, "nowhere.toml cannot be read: No such file"),
    ],
)
def test_what_cannot_be_is_refused_by_name(environment, complaint):
    with pytest.raises(OptionError, match=complaint):
        config_of(**environment)


@pytest.mark.parametrize(("flag", "metavar"), [("--jobs-dir", "DIR"), ("--api-key-file", "FILE")])
def test_an_empty_path_is_a_mistake_and_not_the_working_directory(flag, metavar):
    with pytest.raises(argparse.ArgumentError, match=f"{flag}: it is empty; give a {metavar}"):
        config_of(flag, "")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("pool_size = '4'", "pool_size is '4'; give a whole number"),
        ("pool_size = true", "pool_size is True; give a whole number"),
        ("metrics = 1", "metrics is 1; give true or false"),
        ("allow_origin = 'x'", "allow_origin is 'x'; give a list of texts"),
        ("poolsize = 4", "has poolsize; known are host, port"),
        ("pool_size = ", "is no TOML"),
        ("jobs_dir = ''", "jobs_dir is empty; give a DIR, or leave the option out"),
    ],
)
def test_a_file_that_cannot_be_is_refused(tmp_path, content, complaint):
    file = tmp_path / "c.toml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(OptionError, match=complaint):
        config_of("--config", str(file))


def test_the_page_about_options_is_up_to_date():
    page = DOCS / "cli.md"
    assert page.read_text(encoding="utf-8") == cli_page(), "python -m gigastt_lab.server.documentation"
