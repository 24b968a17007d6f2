import { useMemo } from "react";
import { type Answer } from "../shared/answer";
import { READ_MS, useCalls, WRITE_MS } from "../shared/useCalls";
import {
  type ChangedJobs,
  type Done,
  type JobChange,
  type JobChoice,
  type Policy,
  type Preview,
  type PullResult,
  type SampleChoice,
  type Snapshot,
  type Step,
} from "./types";

/** The methods of the Python half; the App hands them over as URIs. */
export type MethodUris = Record<
  | "refresh"
  | "preview_pull"
  | "pull"
  | "undo"
  | "try_again"
  | "progress"
  | "cancel"
  | "people"
  | "update_jobs"
  | "send_to_review"
  | "show_samples"
  | "show_operations",
  string
>;

export interface Methods {
  refresh: () => Promise<Answer<Snapshot>>;
  /** What takes a while gets a name, by which it is asked about and cancelled. */
  previewPull: (run: string, key: string, choice: JobChoice) => Promise<Answer<Preview>>;
  pull: (run: string, key: string, policy: Policy, choice: JobChoice, leftOut: string[]) => Promise<Answer<PullResult>>;
  undo: (run: string, key: string) => Promise<Answer<Done>>;
  tryAgain: (key: string) => Promise<Answer<Done>>;
  progress: (run: string) => Promise<Answer<Partial<Step>>>;
  cancel: (run: string) => Promise<Answer<object>>;
  people: () => Promise<Answer<{ people: string[] }>>;
  updateJobs: (key: string, jobs: number[], change: JobChange) => Promise<Answer<ChangedJobs>>;
  sendToReview: (key: string) => Promise<Answer<ChangedJobs>>;
  showSamples: (choice: SampleChoice) => Promise<Answer<object>>;
  showOperations: () => Promise<Answer<object>>;
}

/** Calls methods of the Python half. What comes back is the same object at every render. */
export function useMethods(uris: MethodUris): Methods {
  const call = useCalls(uris);
  return useMemo(
    () => ({
      refresh: () => call("refresh", {}, READ_MS),
      previewPull: (run, key, choice) => call("preview_pull", { run, key, ...choice }, WRITE_MS),
      pull: (run, key, policy, choice, leftOut) =>
        call("pull", { run, key, policy, ...choice, leave_out: leftOut }, WRITE_MS),
      undo: (run, key) => call("undo", { run, key }, WRITE_MS),
      tryAgain: (key) => call("try_again", { key }, WRITE_MS),
      progress: (run) => call("progress", { run }, READ_MS),
      cancel: (run) => call("cancel", { run }, READ_MS),
      people: () => call("people", {}, READ_MS),
      updateJobs: (key, jobs, change) => call("update_jobs", { key, jobs, ...change }, WRITE_MS),
      sendToReview: (key) => call("send_to_review", { key }, WRITE_MS),
      showSamples: (choice) => call("show_samples", choice, READ_MS),
      showOperations: () => call("show_operations", {}, READ_MS),
    }),
    [call],
  );
}
