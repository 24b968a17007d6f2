/** What the panel knows, and how it changes. Pure. */
import { type Answer, type Problem } from "../shared/answer";
import { type JobChoice, type Policy, type Preview, type Snapshot } from "./types";

export interface Review {
  key: string;
  phase: "loading" | "ready" | "merging";
  preview: Preview | null;
  problem: Problem | null;
  policy: Policy;
  choice: JobChoice;
  /** The references of changes that stay open. */
  leftOut: string[];
}

export interface Notice {
  severity: "success" | "warning" | "error";
  text: string;
  advice: string;
  /** The round whose last pull the notice offers to undo. */
  undoKey: string | null;
}

export interface PanelState {
  snapshot: Snapshot | null;
  problem: Problem | null;
  refreshing: boolean;
  review: Review | null;
  undoing: string | null;
  /** The jobs that are being changed in CVAT. */
  changing: number[];
  /** To whom jobs can be given, once it was asked. */
  people: string[] | null;
  notice: Notice | null;
}

export type Event =
  | { type: "refreshing" }
  | { type: "refreshed"; answer: Answer<Snapshot> }
  | { type: "reviewing"; key: string; choice: JobChoice }
  | { type: "reviewed"; key: string; choice: JobChoice; answer: Answer<Preview> }
  | { type: "leftOut"; references: string[]; isOut: boolean }
  | { type: "policyChosen"; policy: Policy }
  | { type: "merging" }
  | { type: "mergeFailed"; problem: Problem }
  | { type: "reviewClosed" }
  | { type: "undoing"; key: string }
  | { type: "undoEnded" }
  | { type: "changing"; jobs: number[] }
  | { type: "changeEnded"; jobs: number[] }
  | { type: "peopleKnown"; people: string[] }
  | { type: "noticed"; notice: Notice | null };

export const INITIAL: PanelState = {
  snapshot: null,
  problem: null,
  refreshing: false,
  review: null,
  undoing: null,
  changing: [],
  people: null,
  notice: null,
};

export function reduce(state: PanelState, event: Event): PanelState {
  switch (event.type) {
    case "refreshing":
      return { ...state, refreshing: true };
    case "refreshed":
      return { ...state, refreshing: false, ...refreshed(state, event.answer) };
    case "reviewing":
      return { ...state, notice: null, review: reviewing(state.review, event.key, event.choice) };
    case "reviewed":
      // It was closed meanwhile, or narrowed otherwise.
      if (state.review?.key !== event.key || state.review.choice !== event.choice) return state;
      return { ...state, review: reviewed(state.review, event.answer) };
    case "leftOut":
      return { ...state, review: state.review && leaveOut(state.review, event.references, event.isOut) };
    case "policyChosen":
      return { ...state, review: state.review && { ...state.review, policy: event.policy } };
    case "merging":
      return { ...state, review: state.review && { ...state.review, phase: "merging", problem: null } };
    case "mergeFailed":
      return {
        ...state,
        review: state.review && { ...state.review, phase: "ready", problem: event.problem },
      };
    case "reviewClosed":
      return { ...state, review: null };
    case "undoing":
      return { ...state, undoing: event.key, notice: null };
    case "undoEnded":
      return { ...state, undoing: null };
    case "changing":
      return { ...state, changing: [...state.changing, ...event.jobs], notice: null };
    case "changeEnded":
      return { ...state, changing: state.changing.filter((id) => !event.jobs.includes(id)) };
    case "peopleKnown":
      return { ...state, people: event.people };
    case "noticed":
      return { ...state, notice: event.notice };
  }
}

/** The last known rounds stay when the server cannot be asked. */
function refreshed(
  state: PanelState,
  answer: Answer<Snapshot>,
): Pick<PanelState, "snapshot" | "problem"> {
  if (!answer.ok) return { snapshot: state.snapshot, problem: answer.problem };
  const { connection } = answer.value;
  if (connection.state !== "error") return { snapshot: answer.value, problem: null };
  const known = state.snapshot;
  const rounds = answer.value.rounds.length ? answer.value.rounds : (known?.rounds ?? []);
  return {
    snapshot: { ...answer.value, rounds, updated_at: known?.updated_at ?? answer.value.updated_at },
    problem: {
      message: connection.message ?? "CVAT cannot be asked.",
      advice: connection.advice ?? "",
    },
  };
}

/** A review that is narrowed otherwise keeps how conflicts are decided. */
const reviewing = (last: Review | null, key: string, choice: JobChoice): Review => ({
  key,
  choice,
  phase: "loading",
  preview: null,
  problem: null,
  policy: last?.key === key ? last.policy : "skip",
  leftOut: [],
});

function reviewed(review: Review, answer: Answer<Preview>): Review {
  const ready = { ...review, phase: "ready" as const };
  return answer.ok ? { ...ready, preview: answer.value } : { ...ready, problem: answer.problem };
}

function leaveOut(review: Review, references: string[], isOut: boolean): Review {
  const meant = new Set(references);
  const others = review.leftOut.filter((reference) => !meant.has(reference));
  return { ...review, leftOut: isOut ? [...others, ...references] : others };
}
