import { expect, test } from "vitest";
import {
  canCancel,
  canRepeat,
  devicesText,
  doingText,
  elsewhereText,
  errorText,
  executorState,
  headline,
  noGpuText,
  percent,
  stageText,
  standstill,
} from "../../src/operations/derive";
import { type Operation } from "../../src/operations/types";
import { executor, NOON, operation, snapshot } from "./fixtures";

const ENDED = { stage: "completed", ended_at: "2026-11-23T11:59:00Z" } as const;

test.each<[Partial<Operation>, string]>([
  [{}, "on gpu@big · started 2 min ago"],
  [{ attempt: 2 }, "on gpu@big, attempt 2 · started 2 min ago"],
  [{ executor: null }, "on another program · started 2 min ago"],
  [{ stage: "queued" }, "waits for an executor of gpu · asked for 10 min ago"],
  [{ stage: "queued", before: 1 }, "waits for an executor of gpu, after 1 other · asked for 10 min ago"],
  [{ stage: "queued", target: null }, "waits for any executor · asked for 10 min ago"],
  [ENDED, "took 1 min on gpu@big · 1 min ago"],
  [{ ...ENDED, stage: "failed" }, "failed · 1 min ago"],
  [{ ...ENDED, stage: "failed", attempt: 2 }, "failed after attempt 2 · 1 min ago"],
  [{ ...ENDED, stage: "cancelled", takes_back: true }, "cancelled · 1 min ago · takes back what it made"],
])("stageText: %o", (changes, text) => expect(stageText(operation(changes), NOON)).toBe(text));

test("canCancel: what has not ended, unless it writes", () => {
  expect(canCancel(operation())).toBe(true);
  expect(canCancel(operation({ stage: "queued" }))).toBe(true);
  expect(canCancel(operation({ writing: true }))).toBe(false);
  expect(canCancel(operation(ENDED))).toBe(false);
});

test("canRepeat: what has failed or was cancelled, and has taken back what it made, once", () => {
  expect(canRepeat(operation({ stage: "failed" }))).toBe(true);
  expect(canRepeat(operation({ stage: "cancelled" }))).toBe(true);
  expect(canRepeat(operation({ stage: "cancelled", takes_back: true }))).toBe(false);
  expect(canRepeat(operation({ stage: "failed", again: "2" }))).toBe(false);
  expect(canRepeat(operation())).toBe(false);
});

test("doingText: what it does, as far as is known", () => {
  expect(doingText(operation())).toBe("412 of 1,000 images, 2 minutes left");
  expect(doingText(operation({ doing: "" }))).toBe("Starting");
  expect(doingText(operation({ writing: true }))).toContain("no longer be cancelled");
  expect(doingText(operation({ stage: "queued", doing: "" }))).toBe("");
});

test("errorText: nothing that the cause says already", () => {
  const cause = "It was killed. It was tried 2 times.";
  expect(errorText(operation({ cause, error: "It was killed.\nIt was tried 2 times." }))).toBe("");
  expect(errorText(operation({ cause, error: "Traceback" }))).toBe("Traceback");
});

test("percent: of what is known", () => {
  expect(percent(operation())).toBe(41);
  expect(percent(operation({ progress: 1.2 }))).toBe(100);
  expect(percent(operation({ progress: null }))).toBeNull();
  expect(percent(operation({ ...ENDED, progress: null }))).toBe(100);
});

test("standstill: says what to start", () => {
  expect(standstill(operation())).toBe("");
  expect(standstill(operation({ stage: "queued", has_executor: false }))).toContain("make executor TARGET=gpu");
  expect(standstill(operation({ stage: "queued", target: null, has_executor: false }))).toContain("names no target");
  expect(standstill(operation({ has_executor: false }))).toContain("silent");
  expect(standstill(operation({ ...ENDED, has_executor: false }))).toBe("");
});

test("devicesText, noGpuText: what an executor computes on, or why on no GPU", () => {
  expect(devicesText(executor())).toBe("2 × NVIDIA H200 · 16 CPUs · 128 GiB");
  expect(noGpuText(executor())).toBe("");
  const without = executor({ gpus: [], no_gpu_because: "because this machine runs no NVIDIA driver" });
  expect(devicesText(without)).toBe("16 CPUs · 128 GiB");
  expect(noGpuText(without)).toBe("No GPU, because this machine runs no NVIDIA driver");
});

test("executorState: busy, idle or silent", () => {
  expect(executorState(executor())).toBe("idle");
  expect(executorState(executor({ operation: "@relabel/cvat/apply_model" }))).toBe("busy with apply model");
  expect(executorState(executor({ alive: false, silent_seconds: 200 }))).toBe("silent for 3 min 20 s");
});

test("headline, elsewhereText: how much there is to do", () => {
  const busy = snapshot({ operations: [operation(), operation({ stage: "queued" })] });
  expect(headline(busy)).toBe("1 executor · 1 running · 1 waiting");
  expect(headline(snapshot({ operations: [], executors: [] }))).toBe("no executor");
  expect(elsewhereText(snapshot())).toBe("");
  expect(elsewhereText(snapshot({ elsewhere: { running: 1, queued: 2 } }))).toBe("Of other datasets: 1 running, 2 waiting");
});
