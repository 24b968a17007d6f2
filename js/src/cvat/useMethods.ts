import { useMemo } from "react";
import { type Answer } from "../shared/answer";
import { READ_MS, useCalls, WRITE_MS } from "../shared/useCalls";
import {
  type ChangedJobs,
  type JobChange,
  type JobChoice,
  type Policy,
  type Preview,
  type PullResult,
  type SampleChoice,
  type Snapshot,
  type UndoResult,
} from "./types";

/** The methods of the Python half; the App hands them over as URIs. */
export type MethodUris = Record<
  "refresh" | "preview_pull" | "pull" | "undo" | "people" | "update_jobs" | "send_to_review" | "show_samples",
  string
>;

export interface Methods {
  refresh: () => Promise<Answer<Snapshot>>;
  previewPull: (key: string, choice: JobChoice) => Promise<Answer<Preview>>;
  pull: (key: string, policy: Policy, choice: JobChoice, leftOut: string[]) => Promise<Answer<PullResult>>;
  undo: (key: string) => Promise<Answer<UndoResult>>;
  people: () => Promise<Answer<{ people: string[] }>>;
  updateJobs: (key: string, jobs: number[], change: JobChange) => Promise<Answer<ChangedJobs>>;
  sendToReview: (key: string) => Promise<Answer<ChangedJobs>>;
  showSamples: (choice: SampleChoice) => Promise<Answer<object>>;
}

/** Calls methods of the Python half. What comes back is the same object at every render. */
export function useMethods(uris: MethodUris): Methods {
  const call = useCalls(uris);
  return useMemo(
    () => ({
      refresh: () => call("refresh", {}, READ_MS),
      previewPull: (key, choice) => call("preview_pull", { key, ...choice }, WRITE_MS),
      pull: (key, policy, choice, leftOut) =>
        call("pull", { key, policy, ...choice, leave_out: leftOut }, WRITE_MS),
      undo: (key) => call("undo", { key }, WRITE_MS),
      people: () => call("people", {}, READ_MS),
      updateJobs: (key, jobs, change) => call("update_jobs", { key, jobs, ...change }, WRITE_MS),
      sendToReview: (key) => call("send_to_review", { key }, WRITE_MS),
      showSamples: (choice) => call("show_samples", choice, READ_MS),
    }),
    [call],
  );
}
