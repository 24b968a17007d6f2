import { expect, test } from "vitest";
import { assignable, canDiscard, canResume, changesToWrite, changeWords, endedLately, executorText, figures, reviewTitle, roundText, roundUrl, segments, stageText, underWayText } from "../../src/cvat/derive";
import { FINISHED } from "../../src/cvat/types";
import { connected, CVAT, job, preview, round, sample } from "./fixtures";

test("segments: what is new is the empty rest", () => {
  const found = segments({ new: 5, completed: 4, "in progress": 1, rejected: 0 }, 10);
  expect(found).toEqual([
    { state: "completed", images: 4, percent: 40 },
    { state: "in progress", images: 1, percent: 10 },
  ]);
  expect(segments({}, 0)).toEqual([]);
});

test("roundUrl: the task, the list of several, nothing where it cannot be opened", () => {
  const [task] = round().tasks;
  expect(roundUrl(round(), connected)).toBe(`${CVAT}/tasks/386`);
  expect(roundUrl(round({ tasks: [task, { ...task, id: 387 }] }), connected)).toBe(`${CVAT}/tasks`);
  expect(roundUrl(round({ tasks: [{ ...task, missing: true }] }), connected)).toBeNull();
  expect(roundUrl(round({ server: "https://other.example.org" }), connected)).toBeNull();
});

test("roundText: says what is special about a round", () => {
  expect(roundText(round(), connected)).toBe("ground_truth · 3 jobs");
  expect(roundText(round({ state: "pushing" }), connected)).toBe("ground_truth · not all sent yet");
  const elsewhere = round({ server: "https://other.example.org" });
  expect(roundText(elsewhere, connected)).toBe("ground_truth · on other.example.org");
});

test("canResume, canDiscard: what is being given up cannot be gone on with", () => {
  const of = (state: "pushing" | "discarding" | "out") => [canResume(round({ state })), canDiscard(round({ state }))];
  expect(of("pushing")).toEqual([true, true]);
  expect(of("discarding")).toEqual([false, true]);
  expect(of("out")).toEqual([false, false]);
});

test("figures: only what is there, conflicts last", () => {
  const counts = { conflict: 1, added: 3, moved: 7, removed: 0 };
  const found = figures(preview({ counts, sample_ids: { moved: ["a"] } }));
  expect(found.map(({ count, text }) => `${count} ${text}`)).toEqual(["7 moved", "3 added", "1 conflict"]);
  expect(found[0].sampleIds).toEqual(["a"]);
});

test("changesToWrite: conflicts are written only where CVAT wins", () => {
  const shown = preview({ counts: { moved: 2, conflict: 3 } });
  expect(changesToWrite(shown, "skip", [])).toBe(2);
  expect(changesToWrite(shown, "fiftyone_wins", [])).toBe(2);
  expect(changesToWrite(shown, "cvat_wins", [])).toBe(5);
});

test("figures: say how many of the samples behind them are shown", () => {
  const [few] = figures(preview({ counts: { moved: 2 }, sample_ids: { moved: ["a"] }, sample_counts: { moved: 1 } }));
  expect(few.title).toBe("Boxes with a new place or size. Show the 1 sample");
  const [many] = figures(preview({ counts: { moved: 9 }, sample_ids: { moved: ["a", "b"] }, sample_counts: { moved: 5_000 } }));
  expect(many.title).toContain("Show the first 2 of 5,000 samples");
});

test("changesToWrite: an image that is left out as a whole takes what is not shown along", () => {
  const many = { ...sample(), more_changes: 40 };
  const shown = preview({ counts: { moved: 1, relabelled: 1, added: 41 }, samples: [many] });
  expect(changesToWrite(shown, "skip", ["s/moved", "s/added"])).toBe(40);
  expect(changesToWrite(shown, "skip", ["s/moved", "s/added", "s"])).toBe(0);
});

test("changesToWrite: what is left out is not written", () => {
  const shown = preview({ counts: { moved: 1, relabelled: 1, added: 1 }, samples: [sample()] });
  expect(changesToWrite(shown, "skip", ["s/moved"])).toBe(1);
  expect(changesToWrite(shown, "skip", ["s/moved", "s/added"])).toBe(0);
});

test("changeWords: says what was done to a label", () => {
  const [both, added] = sample().changes;
  expect(changeWords(both)).toEqual({ what: "moved, relabelled", detail: "dog → cat, iscrowd: false → true" });
  expect(changeWords(added)).toEqual({ what: "added", detail: "cat" });
  expect(changeWords({ ...both, conflict: true }).what).toBe("conflict: moved, relabelled in CVAT");
});

test("executorText: names each executor, or says what happens without one", () => {
  expect(executorText([])).toContain("No executor is alive");
  const gpu = { target: "gpu", host: "node-1", devices: "2 GPUs", busy: false };
  expect(executorText([gpu])).toBe("Executor gpu on node-1, 2 GPUs: idle");
});

test("assignable: those whom CVAT shows, and who has the job though CVAT does not show him", () => {
  expect(assignable(null, job())).toEqual(["ann.a"]);
  expect(assignable(["lead", "ann.b"], job())).toEqual(["ann.a", "ann.b", "lead"]);
  expect(assignable(["lead"], job({ assignee: null }))).toEqual(["lead"]);
});

test("stageText: names what is not ordinary work", () => {
  expect(stageText(job())).toBe("annotation");
  expect(stageText(job({ type: "ground_truth" }))).toBe("annotation, ground truth");
});

test("reviewTitle: says if it is about one job", () => {
  expect(reviewTitle("fix_1", FINISHED)).toBe("Pull fix_1");
  expect(reviewTitle("fix_1", { ...FINISHED, jobs: [12] })).toBe("Pull job 12 of fix_1");
});

test("endedLately: what an executor ended within the last minutes, but not what the user cancelled", () => {
  const ended = { id: "1", label: "Find label errors", stage: "completed" as const, ended_at: "2026-11-23T08:00:00+00:00" };
  const operations = { queued: 0, running: 0, ended };
  const moment = Date.parse(ended.ended_at);
  expect(endedLately(operations, moment + 60_000)).toBe(ended);
  expect(endedLately(operations, moment + 3_600_000)).toBeNull();
  expect(endedLately({ ...operations, ended: null }, moment)).toBeNull();
  expect(endedLately({ ...operations, ended: { ...ended, stage: "cancelled" } }, moment)).toBeNull();
});

test("underWayText: how many run, how many wait", () => {
  expect(underWayText({ queued: 0, running: 0, ended: null })).toBe("");
  expect(underWayText({ queued: 2, running: 1, ended: null })).toBe("1 operation running, 2 waiting");
  expect(underWayText({ queued: 1, running: 0, ended: null })).toBe("1 operation waiting");
});
