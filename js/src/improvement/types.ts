/** What the Python half (panels/improvement.py) answers. */

/** A figure before and after, and where its difference lies with a confidence of 95 %. */
export interface Change {
  before: number | null;
  after: number | null;
  low: number | null;
  high: number | null;
}

/** One time that an evaluation ran again. */
export interface Entry extends Change {
  number: number;
  at: string;
  cause: "pull" | "undo";
  round: string;
  /** The rounds before it that the entry measures as well. */
  caught_up: string[];
  /** The number of the pull in its round, the same where it is undone; 0 if it cannot be. */
  pull: number;
  /** Whether nothing but labels has changed since the entry before. */
  follows: boolean;
  labels: number;
  minutes: number | null;
  samples: number;
  /** How many samples have other labels. */
  changed: number;
  /** Of how many of them the ground truth itself has changed. */
  mended: number;
}

export interface Evaluation {
  key: string;
  predictions: string;
  ground_truth: string;
  samples: number;
  /** The score as it is now. */
  map: number | null;
  /** Oldest first. */
  entries: Entry[];
  /** How many older entries there are beside those. */
  more_entries: number;
}

/** A score that is not there yet, though a round brought something back. */
export interface Unmeasured {
  rounds: string[];
  /** The evaluation that could not be made again; null if none was begun. */
  eval_key: string | null;
  message: string;
  advice: string;
}

export interface Ledger {
  version: string;
  evaluations: Evaluation[];
  unmeasured: Unmeasured[];
  /** Evaluations that are not ours, and do not run again by themselves. */
  others: string[];
}

/** The ledger, or that it is as it was. */
export type Refreshed = Ledger | { version: string; evaluations: null };

/** A class, or a type of error, of an entry. */
export interface Figure extends Change {
  name: string;
  /** How many samples are behind the change. */
  changed: number;
}

/** What became of suspicions. */
export const VERDICTS = ["fixed", "model_wrong", "left"] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Suspicions extends Record<Verdict, number> {
  /** The type of error; null for all. */
  type: string | null;
  precision: number | null;
}

export interface Details {
  classes: Figure[];
  errors: Figure[];
  suspicions: Suspicions[];
}

/** Which samples to show: those behind all of an entry, or a part of it; without a number of all entries. */
export interface Behind {
  number?: number;
  kind?: "mended" | "class" | "error" | "suspicion";
  name?: string;
  verdict?: Verdict;
}
