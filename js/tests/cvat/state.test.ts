import { expect, test } from "vitest";
import { INITIAL, reduce, type Event, type PanelState } from "../../src/cvat/state";
import { FINISHED } from "../../src/cvat/types";
import { connected, preview as previewOf, round, snapshot } from "./fixtures";

const after = (...events: Event[]): PanelState => events.reduce(reduce, INITIAL);
const known: Event = { type: "refreshed", answer: { ok: true, value: snapshot() } };
const preview = previewOf({ counts: { moved: 1 } });
const reviewing: Event = { type: "reviewing", key: "fix_labels_1", choice: FINISHED };
const reviewed: Event = { type: "reviewed", key: "fix_labels_1", choice: FINISHED, answer: { ok: true, value: preview } };

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

test("reviewed: an answer for a review that was closed or narrowed otherwise is dropped", () => {
  expect(after(reviewing, reviewed).review?.preview).toEqual(preview);
  expect(after(reviewing, { type: "reviewClosed" }, reviewed).review).toBeNull();
  expect(after({ ...reviewing, key: "other" }, reviewed).review?.preview).toBeNull();
  expect(after({ ...reviewing, choice: { ...FINISHED, stages: ["validation"] } }, reviewed).review?.preview).toBeNull();
});

test("leftOut: changes can be left out and taken back", () => {
  const leave = (references: string[], isOut: boolean): Event => ({ type: "leftOut", references, isOut });
  expect(after(reviewing, reviewed, leave(["a", "b"], true)).review?.leftOut).toEqual(["a", "b"]);
  expect(after(reviewing, reviewed, leave(["a", "b"], true), leave(["a"], false)).review?.leftOut).toEqual(["b"]);
});

test("mergeFailed: the dialog stays open, says why, and keeps what was chosen", () => {
  const state = after(
    reviewing,
    reviewed,
    { type: "policyChosen", policy: "cvat_wins" },
    { type: "merging" },
    { type: "mergeFailed", problem: { message: "Busy.", advice: "" } },
  );
  expect(state.review).toMatchObject({ phase: "ready", preview, policy: "cvat_wins", problem: { message: "Busy." } });
});
