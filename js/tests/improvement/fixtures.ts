import { type Entry, type Evaluation } from "../../src/improvement/types";

export const entry = (changes: Partial<Entry> = {}): Entry => ({
  number: 0,
  at: "2026-11-24T12:00:00+00:00",
  cause: "pull",
  round: "fix_labels",
  caught_up: [],
  pull: 1,
  before: 0.396,
  after: 0.431,
  low: 0.021,
  high: 0.049,
  follows: false,
  labels: 46,
  minutes: 25,
  samples: 300,
  changed: 34,
  mended: 0,
  ...changes,
});

/** A round after another that nothing else came between. */
export const next = (changes: Partial<Entry> = {}): Entry =>
  entry({ number: 1, round: "fix_labels_2", before: 0.431, after: 0.44, low: -0.002, high: 0.02, follows: true, labels: 12, minutes: null, ...changes });

export const evaluation = (entries: Entry[], changes: Partial<Evaluation> = {}): Evaluation => ({
  key: "eval",
  predictions: "predictions",
  ground_truth: "ground_truth",
  samples: 300,
  map: entries[entries.length - 1]?.after ?? 0.396,
  entries,
  more_entries: 0,
  ...changes,
});
