"""Optuna's storage with heartbeats, and its address, which is shown without the password."""

import re
import shlex
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

import optuna
import sqlalchemy
from optuna.storages import RDBStorage

from ser.errors import InputError

MISSED_HEARTBEATS = 3  # after which a worker counts as dead
CONNECT_SECONDS = 10
LOCK_SECONDS = 120  # how long one process waits for another's transaction in a SQLite file
TABLES_AT_ONCE = (sqlalchemy.exc.IntegrityError, sqlalchemy.exc.ProgrammingError)  # two processes create tables
LOST = (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError)


def open_storage(url: str, heartbeat_seconds: int | None, attempts: int = 5) -> RDBStorage:
    """Optuna's storage; retried if another process creates the tables at the same time.

    Args:
        heartbeat_seconds: interval of the workers' heartbeats; None if there are no workers.

    Raises:
        InputError: if the storage cannot be used; with its address, without the password.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)  # heartbeats; tests kill workers
    sqlite = url.startswith("sqlite")
    options = {"connect_args": {"timeout": LOCK_SECONDS}} if sqlite else {"pool_pre_ping": True}
    if url.startswith("postgres"):
        options["connect_args"] = {"connect_timeout": CONNECT_SECONDS}
    try:
        storage = RDBStorage(
            re.sub("^postgres(ql)?://", "postgresql+psycopg://", url),
            engine_kwargs=options,
            heartbeat_interval=heartbeat_seconds,
            grace_period=heartbeat_seconds and MISSED_HEARTBEATS * heartbeat_seconds,
        )
    except ValueError:  # its message can contain part of the password
        cause = "it is not a valid address; in a password write @ as %40, / as %2F and : as %3A"
    except (sqlalchemy.exc.SQLAlchemyError, RuntimeError, OSError, ImportError) as error:
        if (isinstance(error, TABLES_AT_ONCE) or "already exists" in str(error)) and attempts > 1:  # the latter: SQLite
            time.sleep(1)
            return open_storage(url, heartbeat_seconds, attempts - 1)
        cause = first_line(error, url)
    else:
        if sqlite and storage.engine.url.database in (None, "", ":memory:"):
            raise InputError(f"storage {without_password(url)} is in memory: no other process could join the study")
        if sqlite:
            hold_the_file_while_writing(storage.engine)
        return storage
    raise InputError(f"storage {without_password(url)} cannot be used: {cause}")  # not "from": it can show the password


@contextmanager
def told_when_lost(url: str) -> Iterator[None]:
    """Turn the loss of the storage into an InputError that names its address without the password."""
    try:
        yield
    except LOST as error:
        raise InputError(
            f"storage {without_password(url)} was lost ({first_line(error, url)}); "
            "finished trials are kept; run the same command to continue"
        ) from None


def hold_the_file_while_writing(engine: sqlalchemy.Engine) -> None:
    """Make every transaction lock the SQLite file from its first statement.

    SQLite has no row locks: after one transaction has read "waiting" and before it writes "running", another can read
    "waiting" as well. Two workers would run one trial, and under TPE the value of one would be stored with the
    parameters of the other.
    """

    @sqlalchemy.event.listens_for(engine, "connect")
    def leave_transactions_to_sqlalchemy(connection, _) -> None:
        connection.isolation_level = None

    @sqlalchemy.event.listens_for(engine, "begin")
    def begin_as_a_writer(connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    engine.dispose()  # connections opened before


def first_line(error: Exception, url: str) -> str:
    """First line of an error's message, without the password and the SQL statement."""
    return without_password(str(error).splitlines()[0] if str(error) else type(error).__name__, url)


def file_address(path: Path) -> str:
    """The address of a SQLite file, with special characters in its name escaped."""
    return sqlalchemy.URL.create("sqlite", database=str(path.resolve())).render_as_string(hide_password=False)


def missing_file(url: str) -> Path | None:
    """The file of a SQLite address if it does not exist; opening the storage would create it."""
    if not re.match("sqlite[^:]*:///[^:?]", url):  # another server, or :memory:
        return None
    path = Path(sqlalchemy.make_url(url).database)
    return None if path.is_file() else path


def without_password(text: str, url: str | None = None) -> str:
    """An address, or a text that contains the address `url`, without the password.

    Example:
        >>> without_password("postgresql://ann:secret@host/ser")
        'postgresql://ann:***@host/ser'
    """
    address = url or text
    secrets = re.findall(r"://[^:/]*:(.*)@", address) + re.findall(r"password=([^&\s]+)", address)
    for secret in filter(None, secrets):
        if url is None:
            text = text.replace(f":{secret}@", ":***@").replace(f"password={secret}", "password=***")
        else:
            text = text.replace(secret, "***").replace(unquote(secret), "***")
    return text


def typed(words: list[str]) -> str:
    """A command line without passwords, to be shown and saved.

    Example:
        >>> typed(["ser", "sweep", "--storage=postgresql://ann:secret@host/ser"])
        "ser sweep '--storage=postgresql://ann:***@host/ser'"
    """
    return shlex.join(map(without_password, words))
