"""``python -m demo.cvat_server --data DIR``: runs the stand-in until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import socket
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config

from .app import create_app
from .settings import DEFAULT_ACCOUNTS, Account, Settings

LOOPBACK = "127.0.0.1"


def main() -> None:
    """Reads the command line and serves."""
    arguments = _parser().parse_args()
    if arguments.host != LOOPBACK:
        raise SystemExit("The stand-in listens on 127.0.0.1 only: it is not made for a network.")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    settings = Settings(
        data=arguments.data,
        accounts=tuple(arguments.user or DEFAULT_ACCOUNTS),
        anonymous_rate=arguments.anonymous_rate,
        finished_request_ttl=arguments.finished_request_ttl,
    )
    asyncio.run(_serve(settings, arguments.port))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo.cvat_server", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of its data")
    parser.add_argument("--host", default=LOOPBACK, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help="0 for any free port")
    parser.add_argument(
        "--user", type=Account.parse, action="append", help="name:password or name:password:admin"
    )
    parser.add_argument(
        "--anonymous-rate",
        type=int,
        default=100,
        help="requests a minute without a log-in; 0 for no limit",
    )
    parser.add_argument(
        "--finished-request-ttl",
        type=int,
        default=500,
        help="seconds for which a finished background request is kept",
    )
    return parser


async def _serve(settings: Settings, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    app = create_app(settings)
    with socket.create_server((LOOPBACK, port), backlog=128) as listener:
        config = Config()
        config.bind = [f"fd://{listener.fileno()}"]
        config.keep_alive_timeout = 75
        config.graceful_timeout = 2
        config.errorlog = None
        server = asyncio.create_task(
            serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]
        )
        address = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        print(f"CVAT stand-in ready at {address}", flush=True)
        await server


if __name__ == "__main__":
    main()
