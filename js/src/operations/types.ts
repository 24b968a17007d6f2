/** What the Python half (panels/operations.py) answers. */

export const STAGES = ["running", "queued", "completed", "failed", "cancelled"] as const;
export type Stage = (typeof STAGES)[number];

export interface Operation {
  id: string;
  operator: string;
  label: string;
  target: string | null;
  stage: Stage;
  /** The id of the executor that runs or ran it; null while it waits. */
  executor: string | null;
  attempt: number;
  /** It writes its outcome: half of that would be left if it were cancelled. */
  writing: boolean;
  /** It was cancelled, and still takes back what it made: it cannot be run again before that. */
  takes_back: boolean;
  /** From 0 to 1. */
  progress: number | null;
  doing: string;
  cause: string;
  error: string;
  /** Of those alone that are opened. */
  log_tail: string;
  /** What its operator was asked with: names and values; of those alone that are opened. */
  asked: [name: string, value: string][];
  queued_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  /** The id of its repetition by the user. */
  again: string | null;
  /** Whether somebody alive runs it, or will. */
  has_executor: boolean;
  /** How many others that wait, of any dataset, are claimed before it. */
  before: number;
}

export interface Executor {
  id: string;
  targets: string[];
  also_untargeted: boolean;
  host: string;
  pid: number;
  gpus: string[];
  no_gpu_because: string;
  cpus: number;
  memory_gib: number;
  versions: Record<string, string>;
  /** The URI of the operator that it runs. */
  operation: string | null;
  silent_seconds: number;
  alive: boolean;
}

export interface Snapshot {
  updated_at: string;
  operations: Operation[];
  executors: Executor[];
  /** What is under way on other datasets. */
  elsewhere: { queued: number; running: number };
}
