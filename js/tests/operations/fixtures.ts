import { type Executor, type Operation, type Snapshot } from "../../src/operations/types";

export const NOON = Date.parse("2026-11-23T12:00:00Z");

export const operation = (changes: Partial<Operation> = {}): Operation => ({
  id: "1",
  operator: "@relabel/cvat/apply_model",
  label: "Apply model",
  target: "gpu",
  stage: "running",
  executor: "gpu@big:123",
  attempt: 1,
  writing: false,
  takes_back: false,
  progress: 0.412,
  doing: "412 of 1,000 images, 2 minutes left",
  cause: "",
  error: "",
  log_tail: "",
  asked: [],
  queued_at: "2026-11-23T11:50:00Z",
  started_at: "2026-11-23T11:58:00Z",
  ended_at: null,
  again: null,
  has_executor: true,
  before: 0,
  ...changes,
});

export const executor = (changes: Partial<Executor> = {}): Executor => ({
  id: "gpu@big:123",
  targets: ["gpu"],
  also_untargeted: true,
  host: "big",
  pid: 123,
  gpus: ["NVIDIA H200", "NVIDIA H200"],
  no_gpu_because: "",
  cpus: 16,
  memory_gib: 128,
  versions: { fiftyone: "1.22.0", tensorflow: "2.21.0" },
  operation: null,
  silent_seconds: 1,
  alive: true,
  ...changes,
});

export const snapshot = (changes: Partial<Snapshot> = {}): Snapshot => ({
  updated_at: "2026-11-23T12:00:00Z",
  operations: [operation()],
  executors: [executor()],
  elsewhere: { queued: 0, running: 0 },
  ...changes,
});
