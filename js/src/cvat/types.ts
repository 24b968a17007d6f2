/** What the Python half (panels/cvat_status.py) answers. */
import { type Problem } from "../shared/answer";

/** How far something is that takes a while. */
export interface Step {
  /** Between 0 and 1. */
  share: number;
  label: string;
}

export interface Connection {
  state: "connected" | "unconfigured" | "error";
  url: string | null;
  user: string | null;
  message: string | null;
  advice: string | null;
}

/** The delegated operations of the dataset, at a glance. */
export interface Operations {
  queued: number;
  running: number;
  /** The one that ended last. */
  ended: EndedOperation | null;
}

export interface EndedOperation {
  id: string;
  label: string;
  stage: "completed" | "failed" | "cancelled";
  ended_at: string;
}

export interface Executor {
  target: string;
  host: string;
  devices: string;
  busy: boolean;
}

export const JOB_STATES = ["completed", "in progress", "rejected", "new"] as const;
export type JobState = (typeof JOB_STATES)[number];
export const JOB_STAGES = ["annotation", "validation", "acceptance"] as const;
export type JobStage = (typeof JOB_STAGES)[number];
export type ByState = Partial<Record<JobState, number>>;

export interface Job {
  id: number;
  url: string;
  assignee: string | null;
  stage: string;
  state: JobState;
  images: number;
  updated_at: string;
  pulled: boolean;
  type: "annotation" | "ground_truth" | "consensus_replica";
}

/** What is to become of jobs; what is not named stays. An empty name stands for nobody. */
export interface JobChange {
  assignee?: string;
  stage?: JobStage;
  state?: JobState;
}

export interface Task {
  id: number;
  name: string;
  url: string;
  missing: boolean;
  jobs: Job[];
}

export interface Round {
  key: string;
  label_field: string;
  /** A run that cannot be a round is "left" to FiftyOne. */
  state: "pushing" | "out" | "discarding" | "left";
  /** The address of the CVAT server that it is on. */
  server: string;
  created_at: string;
  images: number;
  images_done: number;
  labels: number;
  jobs_by_state: ByState;
  images_by_state: ByState;
  unpulled_jobs: number;
  can_undo: boolean;
  /** Why it cannot be pulled here. */
  problem: Problem | null;
  /** What could not be evaluated again after it, and why. */
  unmeasured: Problem[];
  tasks: Task[];
}

export interface Snapshot {
  connection: Connection;
  updated_at: string;
  executors: Executor[];
  operations: Operations;
  rounds: Round[];
}

export const CHANGE_KINDS = [
  "moved",
  "relabelled",
  "attribute",
  "added",
  "removed",
  "conflict",
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];
export type Counts = Partial<Record<ChangeKind, number>>;

/** What becomes of labels that were changed here and in CVAT; as ConflictPolicy in Python. */
export const POLICIES = ["skip", "cvat_wins", "fiftyone_wins"] as const;
export type Policy = (typeof POLICIES)[number];

/** How a label is drawn; `parts` are x, y, x, y, ... in pixels, none for a whole image's label. */
export interface Outline {
  label: string;
  parts: number[][];
  rotation: number;
  closed: boolean;
  attributes: Record<string, string>;
}

export interface LabelChange {
  /** What it is called where it is left out. */
  reference: string;
  field: string;
  kinds: Exclude<ChangeKind, "conflict">[];
  conflict: boolean;
  before: Outline | null;
  after: Outline | null;
}

export interface ChangedSample {
  id: string;
  /** Of a video; null for an image. */
  frame_number: number | null;
  filepath: string;
  width: number;
  height: number;
  job: number;
  assignee: string | null;
  changes: LabelChange[];
  /** How many changes it has beside those. */
  more_changes: number;
}

/** Which jobs a review looks at; an empty list does not narrow it. */
export interface JobChoice {
  states: JobState[];
  stages: string[];
  /** An empty name stands for nobody. */
  assignees: string[];
  jobs: number[];
}

export const FINISHED: JobChoice = { states: ["completed"], stages: [], assignees: [], jobs: [] };

export interface Preview {
  key: string;
  samples: ChangedSample[];
  /** How many changed samples there are beside those. */
  more_samples: number;
  counts: Counts;
  /** The first samples behind each figure, and how many there are. */
  sample_ids: Partial<Record<ChangeKind, string[]>>;
  sample_counts: Counts;
  /** What a pull cannot take over, and why. */
  problems: string[];
  /** The ids of the jobs that were compared; a merge takes these and no others. */
  jobs: number[];
  unchanged: number;
}

export interface PullResult {
  key: string;
  counts: Counts;
  samples: number;
  message: string;
  problems: string[];
}

/** What an undo did, or trying to evaluate again. */
export interface Done {
  message: string;
  /** What could not be evaluated again, and why. */
  problems: string[];
}

export interface ChangedJobs {
  changed: number[];
  message: string;
}

/** Which samples to show in the grid: some, or all of a round or of one of its jobs. */
export type SampleChoice = { sample_ids: string[] } | { key: string; job?: number };
