import { type ChangedSample, type Connection, type Job, type Preview, type Round, type Snapshot } from "../../src/cvat/types";

export const CVAT = "https://cvat.example.org";

export const connected: Connection = {
  state: "connected",
  url: CVAT,
  user: "lead",
  message: null,
  advice: null,
};

export const job = (changes: Partial<Job> = {}): Job => ({
  id: 441,
  url: `${CVAT}/tasks/386/jobs/441`,
  assignee: "ann.a",
  stage: "annotation",
  state: "completed",
  images: 4,
  updated_at: "2026-11-23T08:00:00+00:00",
  pulled: false,
  type: "annotation",
  ...changes,
});

export const round = (changes: Partial<Round> = {}): Round => ({
  key: "fix_labels_1",
  label_field: "ground_truth",
  state: "out",
  server: CVAT,
  created_at: "2026-11-23T07:00:00+00:00",
  images: 12,
  images_done: 4,
  labels: 96,
  jobs_by_state: { new: 1, "in progress": 1, completed: 1, rejected: 0 },
  images_by_state: { new: 4, "in progress": 4, completed: 4, rejected: 0 },
  unpulled_jobs: 1,
  can_undo: false,
  problem: null,
  unmeasured: [],
  tasks: [{ id: 386, name: "fix_labels_1", url: `${CVAT}/tasks/386`, missing: false, jobs: [job()] }],
  ...changes,
});

export const snapshot = (changes: Partial<Snapshot> = {}): Snapshot => ({
  connection: connected,
  updated_at: "2026-11-23T08:00:00+00:00",
  executors: [],
  operations: { queued: 0, running: 0, ended: null },
  rounds: [round()],
  ...changes,
});

export const preview = (changes: Partial<Preview> = {}): Preview => ({
  key: "fix_labels_1",
  samples: [],
  more_samples: 0,
  counts: {},
  sample_ids: {},
  sample_counts: {},
  problems: [],
  jobs: [441],
  unchanged: 5,
  ...changes,
});

const outline = (label: string, x: number, iscrowd = "false") => ({
  label,
  parts: [[x, 0, x + 9, 0, x + 9, 9, x, 9]],
  rotation: 0,
  closed: true,
  attributes: { iscrowd },
});

/** One label that was moved, relabelled and marked, and one that is new. */
export const sample = (): ChangedSample => ({
  id: "s",
  frame_number: null,
  filepath: "/data/photo.jpg",
  width: 64,
  height: 48,
  job: 441,
  assignee: "ann.a",
  changes: [
    { reference: "s/moved", field: "ground_truth", kinds: ["relabelled", "moved"], conflict: false, before: outline("dog", 0), after: outline("cat", 5, "true") },
    { reference: "s/added", field: "ground_truth", kinds: ["added"], conflict: false, before: null, after: outline("cat", 20) },
  ],
  more_changes: 0,
});
