import { expect, test } from "vitest";
import { INITIAL, reduce, type Event, type PanelState } from "../src/state";
import { connected, round, snapshot } from "./fixtures";

const after = (...events: Event[]): PanelState => events.reduce(reduce, INITIAL);
const known: Event = { type: "refreshed", answer: { ok: true, value: snapshot() } };
const preview = { key: "fix_labels_1", counts: { moved: 1 }, sample_ids: {}, jobs: 1, unchanged: 3 };

test("refreshed: the last known rounds and their time stay when the server cannot be asked", () => {
  const connection = { ...connected, state: "error" as const, message: "No answer.", advice: "Wait." };
  const value = snapshot({ connection, rounds: [], updated_at: "2026-11-23T09:00:00+00:00" });
  const state = after(known, { type: "refreshed", answer: { ok: true, value } });
  expect(state.snapshot?.rounds).toEqual([round()]);
  expect(state.snapshot?.updated_at).toBe(snapshot().updated_at);
  expect(state.snapshot?.connection.state).toBe("error");
  expect(state.problem).toEqual({ message: "No answer.", advice: "Wait." });
});

test("refreshed: the last snapshot stays when the panel's own server fails", () => {
  const problem = { message: "Broken.", advice: "" };
  const state = after(known, { type: "refreshed", answer: { ok: false, problem } });
  expect(state).toMatchObject({ snapshot: snapshot(), problem });
  expect(reduce(state, known).problem).toBeNull();
});

test("reviewed: an answer for a review that was closed is dropped", () => {
  const late: Event = { type: "reviewed", key: "fix_labels_1", answer: { ok: true, value: preview } };
  expect(after({ type: "reviewing", key: "fix_labels_1" }, late).review?.preview).toEqual(preview);
  expect(after({ type: "reviewing", key: "fix_labels_1" }, { type: "reviewClosed" }, late).review).toBeNull();
  expect(after({ type: "reviewing", key: "other" }, late).review?.preview).toBeNull();
});

test("mergeFailed: the dialog stays open, says why, and keeps what was chosen", () => {
  const state = after(
    { type: "reviewing", key: "fix_labels_1" },
    { type: "reviewed", key: "fix_labels_1", answer: { ok: true, value: preview } },
    { type: "policyChosen", policy: "cvat_wins" },
    { type: "merging" },
    { type: "mergeFailed", problem: { message: "Busy.", advice: "" } },
  );
  expect(state.review).toMatchObject({ phase: "ready", preview, policy: "cvat_wins", problem: { message: "Busy." } });
});
