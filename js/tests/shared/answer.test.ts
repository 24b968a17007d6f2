import { expect, test, vi } from "vitest";
import { toAnswer, within } from "../../src/shared/answer";

test("toAnswer: a result", () => {
  expect(toAnswer({ result: { message: "done" } })).toEqual({ ok: true, value: { message: "done" } });
});

test("toAnswer: an error that the Python half reports", () => {
  const problem = { message: "No such round.", advice: "Refresh." };
  expect(toAnswer({ result: { error: problem } })).toEqual({ ok: false, problem });
});

test.each([
  [{ error: "Traceback", errorMessage: "broken" }, "broken"],
  [{ error: new Error("offline") }, "Error: offline"],
  [{}, "The App's server did not answer."],
])("toAnswer: a failure of the App %#", (response, message) => {
  expect(toAnswer(response)).toMatchObject({ ok: false, problem: { message } });
});

test("within: gives up after a while", async () => {
  vi.useFakeTimers();
  const answer = within(new Promise<never>(() => {}), 1_000);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await answer).toMatchObject({ ok: false });
  vi.useRealTimers();
});
