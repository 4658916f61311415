"""Unit tests open no sockets."""

import pytest
from pytest_socket import disable_socket


@pytest.fixture(autouse=True)
def _no_sockets(request: pytest.FixtureRequest) -> None:
    disable_socket(allow_unix_socket=True)  # the event loop's own pair
    request.addfinalizer(_allow)


def _allow() -> None:
    from pytest_socket import enable_socket

    enable_socket()
