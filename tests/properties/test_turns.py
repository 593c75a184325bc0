"""Turns go round by key, whatever the order in which they are asked for, taken and given up."""

import asyncio
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from customergraph.turns import Bounds, Turns

CAPACITY = 4
SHARE = 3
WRITERS = Bounds(2, 1)
KEYS = "abc"
WRITING = "writing"


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.booleans(), st.booleans()), max_size=30))
def test_no_key_holds_more_than_its_share_and_everyone_who_stays_gets_a_turn(
    requests: list[tuple[str, bool, bool]],
) -> None:
    async def scenario() -> tuple[int, Counter[str]]:
        turns, running, most = Turns(CAPACITY, share=SHARE, writers=WRITERS), Counter[str](), Counter[str]()

        async def work(key: str, *, writes: bool) -> None:
            names = [key, "all", *([WRITING, WRITING + key] if writes else [])]
            async with turns.of(key, writes=writes):
                running.update(names)
                most.update({name: running[name] - most[name] for name in names if running[name] > most[name]})
                try:
                    await asyncio.sleep(0)
                finally:
                    running.subtract(names)

        tasks = [asyncio.create_task(work(key, writes=writes)) for key, writes, _ in requests]
        await asyncio.sleep(0)
        for task, (_, _, leaves) in zip(tasks, requests, strict=True):
            if leaves:
                task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        unfinished = sum(
            isinstance(outcome, BaseException) and not leaves
            for outcome, (_, _, leaves) in zip(outcomes, requests, strict=True)
        )
        assert turns.waiting == 0
        assert all(turns.is_free(key, writes=True) for key in KEYS)
        return unfinished, most

    unfinished, most = asyncio.run(scenario())
    assert unfinished == 0
    assert all(most[key] <= SHARE for key in KEYS)
    assert all(most[WRITING + key] <= WRITERS.share for key in KEYS)
    assert most[WRITING] <= WRITERS.capacity
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


def test_readers_pass_writers_of_their_own_key_that_may_not_begin() -> None:
    async def scenario() -> None:
        turns = Turns(2, writers=Bounds(1, 1))
        await turns.take("a", writes=True)
        writer = asyncio.create_task(turns.take("a", writes=True))
        await asyncio.sleep(0)
        async with asyncio.timeout(1):
            await turns.take("a")
        turns.give_back("a")
        assert not writer.done()
        turns.give_back("a", writes=True)
        await writer

    asyncio.run(scenario())


@given(st.lists(st.sampled_from(KEYS), min_size=1, max_size=20))
def test_the_newest_of_the_key_with_most_waiting_is_refused(keys: list[str]) -> None:
    async def scenario() -> tuple[str, list[str]]:
        turns, ended = Turns(1), list[str]()
        await turns.take("holder")

        async def work(name: str, key: str) -> None:
            try:
                await turns.take(key)
            except LookupError:
                ended.append(name)

        tasks = [asyncio.create_task(work(f"{key}{number}", key)) for number, key in enumerate(keys)]
        await asyncio.sleep(0)
        longest = str(turns.longest_queue())
        turns.refuse_newest(longest, LookupError())
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert turns.waiting == 0
        return longest, ended

    longest, ended = asyncio.run(scenario())
    counts = Counter(keys)
    assert counts[longest] == max(counts.values())
    assert ended == [f"{longest}{max(number for number, key in enumerate(keys) if key == longest)}"]
