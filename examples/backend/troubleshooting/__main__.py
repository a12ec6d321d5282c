"""`python -m examples.backend.troubleshooting`: each fault as it looks from outside, and after its cure."""

from __future__ import annotations

import asyncio

from capnweb_runtime import RpcError, ServerLimits, connect, serve
from capnweb_runtime.health import Check, Health
from examples.backend.troubleshooting.diagnosis import diagnose
from examples.backend.troubleshooting.fallback import Chain, Model, wishful
from examples.backend.troubleshooting.generated.translating import TranslatorStub
from examples.backend.troubleshooting.storm import CalmCache, StormyCache, storm
from examples.form.processes import started
from examples.form.report import Report
from examples.form.running import run

SERVER = "examples.backend.troubleshooting.server"
CLIENTS = 100


async def troubleshooting(report: Report) -> None:
    """Everything that the README claims."""
    await cache_storm(report)
    await fallback(report)
    await unavailable(report)


async def cache_storm(report: Report) -> None:
    """Symptom: the database is overloaded whenever the cache's entry expires."""
    report.section("Cache storm")
    before, after = await storm(StormyCache(), CLIENTS), await storm(CalmCache(), CLIENTS)
    report.check("queries at the same time for 100 clients", before.most, CLIENTS)
    report.check("queries with a lock and a second look", after.asked, 1)


async def fallback(report: Report) -> None:
    """Symptom: the first model is overloaded, and its error reaches the user."""
    report.section("A fallback that is not triggered")
    async with (
        started(SERVER, "--port", "0", "--mood", "overloaded") as large,
        started(SERVER, "--port", "0", "--mood", "stuck") as medium,
        started(SERVER, "--port", "0", "--name", "small") as small,
        connect(large.url, TranslatorStub) as first,
        connect(medium.url, TranslatorStub) as second,
        connect(small.url, TranslatorStub) as third,
    ):
        await report.refused("the error of the first model reaches the user", wishful([first, third], "hi"), RpcError)
        chain = Chain({"large": first, "medium": second, "small": third}, patience=0.3)
        translation = await chain.translate("hi")
        report.check("the model that answers in the end", translation.model, "small")
        report.check("why not the others", chain.told, ["large: RpcError", "medium: DeadlineExceeded"])
        alone = Chain({"large": first}, patience=0.3)
        nobody = await report.refused("no model at all", alone.translate("hi"), ExceptionGroup)
        report.check("what each has failed with is in it", len(nobody.exceptions), 1)


async def unavailable(report: Report) -> None:
    """Symptom: 503, of which there are several kinds."""
    report.section("503 Service Unavailable")
    up = {"database": True, "cache": True}
    checks = [Check("database", lambda: up["database"]), Check("cache", lambda: up["cache"], required=False)]
    health = Health(ready="/readyz", checks=checks, max_age=0)
    few, model = ServerLimits(sessions=1), Model("medium", "stuck")
    async with serve(lambda peer: model, "127.0.0.1", 0, health=health, server_limits=few) as server:
        url = f"http://127.0.0.1:{server.port}"
        report.check("a server without trouble", (await diagnose(url)).cause, "well")
        up["cache"] = False
        report.check("without its cache, which is optional", (await diagnose(url)).cause, "degraded")
        up["database"] = False
        found = await diagnose(url)
        report.check("without its database", found.cause, "a check fails")
        report.say(found.advice)
        up.update(database=True, cache=True)
        async with connect(server.url, TranslatorStub) as only:
            call = asyncio.ensure_future(only.translate("hi"))
            await model.begun.wait()
            found = await diagnose(url)
            report.check("with more clients than it takes", found.cause, "full")
            report.say(found.advice)
            draining = asyncio.create_task(server.drain())  # which lets the call end
            await asyncio.sleep(0)
            report.check("while it is drained", (await diagnose(url)).cause, "going away")
            model.goes_on.set()
            report.check("the call that it waited for", (await call).text, "HI")
        await draining


if __name__ == "__main__":
    run("troubleshooting", troubleshooting)
