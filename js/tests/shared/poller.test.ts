import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Poller } from "../../src/shared/poller";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function polling(outcomes: () => Promise<boolean>) {
  const run = vi.fn(outcomes);
  const seen = { wanted: true };
  const poller = new Poller({ run, isWanted: () => seen.wanted, shortestMs: 5_000, longestMs: 60_000 });
  return { run, seen, poller };
}

test("start: runs at once and then every five seconds", async () => {
  const { run, poller } = polling(async () => true);
  poller.start();
  expect(run).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(run).toHaveBeenCalledTimes(4);
});

test("start: waits longer and longer while it fails, a minute at most", async () => {
  const { run, poller } = polling(() => Promise.reject(new Error("no server")));
  poller.start();
  await vi.advanceTimersByTimeAsync(0);
  const gaps: number[] = [];
  for (let last = Date.now(); gaps.length < 6; ) {
    const before = run.mock.calls.length;
    while (run.mock.calls.length === before) await vi.advanceTimersByTimeAsync(1_000);
    gaps.push((Date.now() - last) / 1000);
    last = Date.now();
  }
  expect(gaps).toEqual([10, 20, 40, 60, 60, 60]);
});

test("start: never two at once", async () => {
  let finish = (_: boolean) => {};
  const { run, poller } = polling(() => new Promise((resolve) => (finish = resolve)));
  poller.start();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(run).toHaveBeenCalledTimes(1);
  finish(true);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(run).toHaveBeenCalledTimes(2);
});

test("now: while a run is under way, runs once more after it", async () => {
  const finish: ((ok: boolean) => void)[] = [];
  const { run, poller } = polling(() => new Promise((resolve) => finish.push(resolve)));
  poller.start();
  void poller.now();
  void poller.now();
  expect(run).toHaveBeenCalledTimes(1);
  finish[0](true);
  await vi.advanceTimersByTimeAsync(0);
  expect(run).toHaveBeenCalledTimes(2);
  finish[1](true);
  await vi.advanceTimersByTimeAsync(0);
  expect(run).toHaveBeenCalledTimes(2);
});

test("wake: a hidden page is not polled, and is at once when it is seen again", async () => {
  const { run, seen, poller } = polling(async () => true);
  poller.start();
  await vi.advanceTimersByTimeAsync(0);
  seen.wanted = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(run).toHaveBeenCalledTimes(1);
  seen.wanted = true;
  poller.wake();
  await vi.advanceTimersByTimeAsync(0);
  expect(run).toHaveBeenCalledTimes(2);
});

test("stop: nothing runs any more", async () => {
  const { run, poller } = polling(async () => true);
  poller.start();
  await vi.advanceTimersByTimeAsync(0);
  poller.stop();
  poller.wake();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(run).toHaveBeenCalledTimes(1);
});
