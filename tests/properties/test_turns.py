"""Turns go round by key, whatever the order in which they are asked for, taken and given up."""

import asyncio
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from customergraph.turns import Turns

CAPACITY = 3
SHARE = 2


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30))
def test_no_key_holds_more_than_its_share_and_everyone_who_stays_gets_a_turn(requests: list[tuple[str, bool]]) -> None:
    async def scenario() -> tuple[int, Counter[str]]:
        turns, running, most = Turns(CAPACITY, share=SHARE), Counter[str](), Counter[str]()

        async def work(key: str) -> None:
            async with turns.of(key):
                running[key] += 1
                most[key] = max(most[key], running[key])
                most["all"] = max(most["all"], running.total())
                try:
                    await asyncio.sleep(0)
                finally:
                    running[key] -= 1

        tasks = [asyncio.create_task(work(key)) for key, _ in requests]
        await asyncio.sleep(0)
        for task, (_, leaves) in zip(tasks, requests, strict=True):
            if leaves:
                task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        unfinished = sum(
            isinstance(outcome, BaseException) and not leaves
            for outcome, (_, leaves) in zip(outcomes, requests, strict=True)
        )
        assert turns.waiting == 0
        assert all(turns.is_free(key) for key in "abc")
        return unfinished, most

    unfinished, most = asyncio.run(scenario())
    assert unfinished == 0
    assert all(most[key] <= SHARE for key in "abc")
    assert most["all"] <= CAPACITY


def test_a_key_with_one_request_waits_for_one_turn_of_a_key_with_a_hundred() -> None:
    async def scenario() -> list[str]:
        turns, order = Turns(1), list[str]()

        async def work(key: str) -> None:
            async with turns.of(key):
                order.append(key)
                await asyncio.sleep(0)

        many = [asyncio.create_task(work("many")) for _ in range(100)]
        await asyncio.sleep(0)
        await asyncio.gather(asyncio.create_task(work("one")), *many)
        return order

    assert asyncio.run(scenario()).index("one") <= 3
