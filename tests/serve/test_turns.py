import asyncio
import threading
import time

import pytest

from hf_rumor.serve.problem import Problem
from hf_rumor.serve.turns import Turns


def test_one_function_runs_at_a_time():
    running, most = 0, 0

    def work(number):
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.002)
        running -= 1
        return number

    async def run():
        turns = Turns(max_waiting=50)
        return await asyncio.gather(*(turns.run(work, number) for number in range(50)))

    assert asyncio.run(run()) == list(range(50))
    assert most == 1


def test_too_many_waiting_requests_are_refused():
    async def run():
        turns, release = Turns(max_waiting=2), threading.Event()
        waiting = [asyncio.create_task(turns.run(release.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as caught:
            await turns.run(release.wait)
        release.set()
        await asyncio.gather(*waiting)
        assert await turns.run(lambda: "free again") == "free again"
        return caught.value.status

    assert asyncio.run(run()) == 503
