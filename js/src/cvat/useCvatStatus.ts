import { usePromptOperatorInput } from "@fiftyone/operators";
import { usePanelStatePartial } from "@fiftyone/spaces";
import { useEffect, useMemo, useReducer, useState } from "react";
import { type Answer, type Problem } from "../shared/answer";
import { usePolling } from "../shared/usePolling";
import { type Notice, type PanelState, INITIAL, reduce } from "./state";
import { type Done, FINISHED, type JobChange, type JobChoice, type Policy, type SampleChoice, type Snapshot } from "./types";
import { type MethodUris, useMethods } from "./useMethods";
import { useWork, type Work } from "./useWork";

/** What is derived from the panel's state; read only. */
export interface Status extends PanelState {
  expanded: string[];
  /** The review, merge or undo that is under way. */
  work: Work | null;
  isLoading: boolean;
  isUnconfigured: boolean;
  isStale: boolean;
}

/** What a click can do. */
export interface Actions {
  refresh: () => void;
  toggle: (key: string) => void;
  review: (key: string, choice?: JobChoice) => void;
  leaveOut: (references: string[], isOut: boolean) => void;
  choosePolicy: (policy: Policy) => void;
  merge: () => void;
  closeReview: () => void;
  /** Ends the review, merge or undo that is under way, unless it is writing already. */
  cancel: () => void;
  undo: (key: string) => void;
  /** Tries again to evaluate what a round has changed. */
  tryAgain: (key: string) => Promise<void>;
  showSamples: (choice: SampleChoice) => void;
  /** Opens the panel of operations. */
  showOperations: () => void;
  /** Shows what an operation returned. */
  showResult: (operation: string) => void;
  send: () => void;
  /** Asks once to whom jobs can be given. */
  askPeople: () => void;
  changeJob: (key: string, job: number, change: JobChange) => void;
  sendToReview: (key: string) => void;
  /** Opens the form that goes on with, or gives up, a round that was interrupted. */
  resume: (key: string) => void;
  discard: (key: string) => void;
  dismissNotice: () => void;
}

/** What outlives the panel's being hidden or moved. */
interface Remembered {
  dataset: string | null;
  snapshot: Snapshot | null;
  expanded: string[] | null;
}

const OPERATOR = {
  send: "@relabel/cvat/send_to_cvat",
  resume: "@relabel/cvat/resume_round",
  discard: "@relabel/cvat/discard_round",
  showResult: "@relabel/cvat/show_result",
};
const NOTHING: Remembered = { dataset: null, snapshot: null, expanded: null };

const failed = ({ message, advice }: Problem): Notice => ({
  severity: "error",
  text: message,
  advice,
  undoKey: null,
});

const succeeded = (text: string, undoKey: string | null = null, advice = ""): Notice => ({
  severity: advice ? "warning" : "success",
  text,
  advice,
  undoKey,
});

const done = ({ message, problems }: Done): Notice => succeeded(message, null, problems.join(" "));

export function useCvatStatus(uris: MethodUris, dataset: string | null): [Status, Actions] {
  const methods = useMethods(uris);
  const [work, working] = useWork(methods);
  const prompt = usePromptOperatorInput();
  const [remembered, remember] = usePanelStatePartial<Remembered>("relabel", NOTHING, true);
  const known = remembered?.dataset === dataset ? remembered : NOTHING;
  const [state, dispatch] = useReducer(reduce, { ...INITIAL, snapshot: known.snapshot });
  const [opened, setOpened] = useState<string[] | null>(known.expanded);
  const expanded = opened ?? state.snapshot?.rounds.slice(0, 1).map((round) => round.key) ?? [];

  useEffect(() => {
    remember({ dataset, snapshot: state.snapshot, expanded: opened });
  }, [dataset, state.snapshot, opened]);

  const pollNow = usePolling(async () => {
    dispatch({ type: "refreshing" });
    const answer = await methods.refresh();
    dispatch({ type: "refreshed", answer });
    return answer.ok && answer.value.connection.state === "connected";
  });

  const actions = useMemo<Omit<Actions, "merge" | "toggle" | keyof typeof OPERATOR>>(() => {
    const refresh = () => void pollNow();
    const notice = (notice: Notice | null) => dispatch({ type: "noticed", notice });
    const report = (answer: Answer<unknown>) => answer.ok || notice(failed(answer.problem));
    return {
      refresh,
      review: async (key, choice = FINISHED) => {
        dispatch({ type: "reviewing", key, choice });
        const answer = await working.follow((run) => methods.previewPull(run, key, choice));
        dispatch({ type: "reviewed", key, choice, answer });
      },
      leaveOut: (references, isOut) => dispatch({ type: "leftOut", references, isOut }),
      choosePolicy: (policy) => dispatch({ type: "policyChosen", policy }),
      closeReview: () => {
        working.cancel();
        dispatch({ type: "reviewClosed" });
      },
      cancel: working.cancel,
      undo: async (key) => {
        dispatch({ type: "undoing", key });
        const answer = await working.follow((run) => methods.undo(run, key));
        dispatch({ type: "undoEnded" });
        notice(answer.ok ? done(answer.value) : failed(answer.problem));
        refresh();
      },
      tryAgain: async (key) => {
        const answer = await methods.tryAgain(key);
        notice(answer.ok ? done(answer.value) : failed(answer.problem));
        await pollNow();
      },
      askPeople: async () => {
        const answer = await methods.people();
        // Without their names jobs can still be given to nobody, or moved.
        dispatch({ type: "peopleKnown", people: answer.ok ? answer.value.people : [] });
      },
      changeJob: async (key, job, change) => {
        dispatch({ type: "changing", jobs: [job] });
        const answer = await methods.updateJobs(key, [job], change);
        if (!answer.ok) notice(failed(answer.problem));
        await pollNow();
        dispatch({ type: "changeEnded", jobs: [job] });
      },
      sendToReview: async (key) => {
        const answer = await methods.sendToReview(key);
        notice(answer.ok ? succeeded(answer.value.message) : failed(answer.problem));
        refresh();
      },
      showSamples: async (choice) => void report(await methods.showSamples(choice)),
      showOperations: async () => void report(await methods.showOperations()),
      dismissNotice: () => notice(null),
    };
  }, [methods, working]);

  const merge = async () => {
    if (!state.review?.preview) return;
    const { key, policy, leftOut, preview } = state.review;
    dispatch({ type: "merging" });
    const choice = { ...state.review.choice, jobs: preview.jobs };
    const answer = await working.follow((run) => methods.pull(run, key, policy, choice, leftOut));
    if (!answer.ok) {
      dispatch({ type: "mergeFailed", problem: answer.problem });
      return;
    }
    dispatch({ type: "reviewClosed" });
    const { message, problems, samples } = answer.value;
    const notice = succeeded(message, samples ? key : null, problems.join(" "));
    dispatch({ type: "noticed", notice });
    actions.refresh();
  };

  const toggle = (key: string) =>
    setOpened(expanded.includes(key) ? expanded.filter((one) => one !== key) : [...expanded, key]);

  const operators = {
    send: () => prompt(OPERATOR.send),
    resume: (key: string) => prompt(OPERATOR.resume, { key }),
    discard: (key: string) => prompt(OPERATOR.discard, { key }),
    showResult: (operation: string) => prompt(OPERATOR.showResult, { operation }),
  };

  const status: Status = {
    ...state,
    expanded,
    work,
    isLoading: state.snapshot === null && state.problem === null,
    isUnconfigured: state.snapshot?.connection.state === "unconfigured",
    isStale: state.problem !== null,
  };
  return [status, { ...actions, ...operators, merge, toggle }];
}
