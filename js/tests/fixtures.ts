import { type Connection, type Job, type Round, type Snapshot } from "../src/types";

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
  tasks: [{ id: 386, name: "fix_labels_1", url: `${CVAT}/tasks/386`, missing: false, jobs: [job()] }],
  ...changes,
});

export const snapshot = (changes: Partial<Snapshot> = {}): Snapshot => ({
  connection: connected,
  updated_at: "2026-11-23T08:00:00+00:00",
  executors: [],
  rounds: [round()],
  ...changes,
});
