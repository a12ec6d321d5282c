"""The PostgreSQL that tests share is a real one, and nobody else's."""

from __future__ import annotations

import psycopg

from tests.needs import needs_postgres
from tests.postgres import postgres as postgres  # a fixture


@needs_postgres
async def test_it_answers_this_machine_alone(postgres: str) -> None:
    async with await psycopg.AsyncConnection.connect(postgres) as connection:
        cursor = await connection.execute("SELECT current_setting('listen_addresses'), inet_server_addr()::text")
        assert await cursor.fetchone() == ("127.0.0.1", "127.0.0.1/32")
