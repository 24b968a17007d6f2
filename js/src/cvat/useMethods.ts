import { useTriggerPanelEvent } from "@fiftyone/operators";
import { useMemo, useRef } from "react";
import { toAnswer, within } from "../shared/answer";
import {
  type Answer,
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
export interface MethodUris {
  refresh: string;
  preview_pull: string;
  pull: string;
  undo: string;
  people: string;
  update_jobs: string;
  send_to_review: string;
  show_samples: string;
}

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

const REFRESH_MS = 90_000;
const WRITE_MS = 600_000; // as long as the App's server lets an operator run

/** Calls methods of the Python half. What comes back is the same object at every render. */
export function useMethods(uris: MethodUris): Methods {
  const trigger = useTriggerPanelEvent();
  const current = useRef({ trigger, uris });
  current.current = { trigger, uris };

  return useMemo(() => {
    const call = <T>(method: keyof MethodUris, params: object, ms: number): Promise<Answer<T>> =>
      within(
        new Promise((resolve) => {
          const { trigger, uris } = current.current;
          trigger(uris[method], params, false, (response) => {
            resolve(toAnswer<T>(response));
            return false; // else the App replaces the whole panel by its error page
          });
        }),
        ms,
      );
    return {
      refresh: () => call("refresh", {}, REFRESH_MS),
      previewPull: (key, choice) => call("preview_pull", { key, ...choice }, WRITE_MS),
      pull: (key, policy, choice, leftOut) =>
        call("pull", { key, policy, ...choice, leave_out: leftOut }, WRITE_MS),
      undo: (key) => call("undo", { key }, WRITE_MS),
      people: () => call("people", {}, REFRESH_MS),
      updateJobs: (key, jobs, change) => call("update_jobs", { key, jobs, ...change }, WRITE_MS),
      sendToReview: (key) => call("send_to_review", { key }, WRITE_MS),
      showSamples: (choice) => call("show_samples", choice, REFRESH_MS),
    };
  }, []);
}
