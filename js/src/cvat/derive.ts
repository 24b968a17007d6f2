/** Everything that is shown and can be computed. Pure. */
import { plural } from "../shared/text";
import {
  CHANGE_KINDS,
  JOB_STATES,
  type ByState,
  type ChangeKind,
  type Connection,
  type EndedOperation,
  type Executor,
  type Job,
  type JobChoice,
  type JobState,
  type LabelChange,
  type Operations,
  type Outline,
  type Policy,
  type Preview,
  type Round,
} from "./types";

export function host(url: string | null): string {
  try {
    return new URL(url ?? "").host;
  } catch {
    return url ?? "";
  }
}

export interface Segment {
  state: JobState;
  images: number;
  percent: number;
}

/** The parts of a progress bar; what is new is the empty rest of it. */
export function segments(byState: ByState, images: number): Segment[] {
  const whole = Math.max(images, 1);
  return JOB_STATES.filter((state) => state !== "new")
    .map((state) => ({ state, images: byState[state] ?? 0 }))
    .filter((segment) => segment.images > 0)
    .map((segment) => ({ ...segment, percent: (100 * segment.images) / whole }));
}

export const jobCount = (round: Round): number =>
  Object.values(round.jobs_by_state).reduce((sum, count) => sum + count, 0);

export const isAllDone = (round: Round): boolean =>
  round.images > 0 && round.images_done === round.images;

/** What a round is about, under its name. */
export function roundText(round: Round, connection: Connection): string {
  const field = round.label_field;
  if (round.state === "pushing") return `${field} · not all sent yet`;
  if (round.state === "discarding") return `${field} · being given up`;
  if (isLeft(round)) return `${field} · not a round of Relabel's`;
  if (isElsewhere(round, connection)) return `${field} · on ${host(round.server)}`;
  return `${field} · ${plural(jobCount(round), "job")}`;
}

/** Whether a round that was not all sent can be gone on with, and not only be given up. */
export const canResume = (round: Round): boolean => round.state === "pushing";

/** Whether a round was neither sent nor given up to the end. */
export const canDiscard = (round: Round): boolean => round.state === "pushing" || round.state === "discarding";

/** Whether a run of FiftyOne is shown that cannot be a round. */
export const isLeft = (round: Round): boolean => round.state === "left";

/** Whether a round is on a server that we are not connected to. */
export const isElsewhere = (round: Round, connection: Connection): boolean =>
  connection.url !== null && round.server !== connection.url;

/** Where "Open in CVAT" of a round leads: to its task, or to the list if it has several. */
export function roundUrl(round: Round, connection: Connection): string | null {
  if (isElsewhere(round, connection)) return null;
  const present = round.tasks.filter((task) => !task.missing);
  return present.length > 1 ? `${round.server}/tasks` : (present[0]?.url ?? null);
}

export const KIND_TEXT: Record<ChangeKind, { one: string; many: string; hint: string }> = {
  moved: { one: "moved", many: "moved", hint: "Boxes with a new place or size" },
  relabelled: { one: "relabelled", many: "relabelled", hint: "Labels with another class" },
  attribute: { one: "attribute", many: "attributes", hint: "Labels with another attribute value" },
  added: { one: "added", many: "added", hint: "Labels that are new" },
  removed: { one: "removed", many: "removed", hint: "Labels that were deleted in CVAT" },
  conflict: {
    one: "conflict",
    many: "conflicts",
    hint: "Labels that were changed here and in CVAT",
  },
};

export interface Figure {
  kind: ChangeKind;
  count: number;
  text: string;
  hint: string;
  sampleIds: string[];
  title: string;
}

/** The figures of a preview that are not zero, in a fixed order. */
export function figures(preview: Preview): Figure[] {
  return CHANGE_KINDS.map((kind) => {
    const count = preview.counts[kind] ?? 0;
    const { one, many, hint } = KIND_TEXT[kind];
    const sampleIds = preview.sample_ids[kind] ?? [];
    const samples = preview.sample_counts[kind] ?? 0;
    const first = sampleIds.length < samples ? `first ${sampleIds.length.toLocaleString("en")} of ` : "";
    const title = `${hint}. Show the ${first}${plural(samples, "sample")}`;
    return { kind, count, text: count === 1 ? one : many, hint, sampleIds, title };
  }).filter((figure) => figure.count > 0);
}

const countsUnder = (policy: Policy) => (kind: ChangeKind) => kind !== "conflict" || policy === "cvat_wins";

/**
 * How many changes a merge would write. Conflicts count only where CVAT wins; those of an image
 * that is left out as a whole are taken off also where they are too many to be told of.
 */
export function changesToWrite(preview: Preview, policy: Policy, leftOut: string[]): number {
  const all = CHANGE_KINDS.filter(countsUnder(policy)).reduce((sum, kind) => sum + (preview.counts[kind] ?? 0), 0);
  const references = new Set(leftOut);
  const out = preview.samples
    .flatMap((sample) => sample.changes)
    .filter((change) => references.has(change.reference))
    .flatMap((change): ChangeKind[] => (change.conflict ? ["conflict"] : change.kinds))
    .filter(countsUnder(policy));
  const unseen = preview.samples.filter((sample) => references.has(sample.id)).map((sample) => sample.more_changes);
  return Math.max(0, all - unseen.reduce((sum, more) => sum + more, out.length));
}

export type ChangeTone = "added" | "removed" | "changed" | "conflict";

export function changeTone({ conflict, before, after }: LabelChange): ChangeTone {
  if (conflict) return "conflict";
  return before === null ? "added" : after === null ? "removed" : "changed";
}

/** "moved", "cat" or "relabelled", "dog → cat" or "attribute", "cat, iscrowd: false → true". */
export function changeWords({ kinds, conflict, before, after }: LabelChange): { what: string; detail: string } {
  const what = [...kinds].sort((a, b) => CHANGE_KINDS.indexOf(a) - CHANGE_KINDS.indexOf(b)).join(", ");
  const arrow = (old: string, now: string) => (old === now ? now : `${old || "–"} → ${now || "–"}`);
  const details = [arrow(before?.label ?? after?.label ?? "", after?.label ?? before?.label ?? "")];
  if (before && after) {
    for (const [name, value] of Object.entries(after.attributes)) {
      const old = before.attributes[name] ?? "";
      if (old !== value) details.push(`${name}: ${arrow(old, value)}`);
    }
  }
  return { what: conflict ? `conflict: ${what} in CVAT` : what, detail: details.join(", ") };
}

export function outlineCentre({ parts }: Outline): [x: number, y: number] {
  const points = parts.flat();
  const middle = (values: number[]) => (values.length ? (Math.min(...values) + Math.max(...values)) / 2 : 0);
  return [middle(points.filter((_, index) => index % 2 === 0)), middle(points.filter((_, index) => index % 2 === 1))];
}

export const fileName = (path: string): string => path.split(/[\\/]/).pop() ?? path;

/** To whom a job can be given: those whom CVAT shows us, and who has it. */
export const assignable = (people: string[] | null, job: Job): string[] =>
  [...new Set([...(people ?? []), ...(job.assignee ? [job.assignee] : [])])].sort();

const JOB_TYPE: Record<Job["type"], string> = {
  annotation: "",
  ground_truth: "ground truth",
  consensus_replica: "replica",
};

/** "annotation", or "annotation, ground truth" for a job whose shapes are a yardstick. */
export const stageText = (job: Job): string => [job.stage, JOB_TYPE[job.type]].filter(Boolean).join(", ");

export type FilterName = Exclude<keyof JobChoice, "jobs">;

/** What a review can be narrowed to: what the jobs of the round have. */
export function filterOptions(jobs: Job[]): Record<FilterName, { title: string; all: string; values: string[] }> {
  const distinct = (values: string[]) => [...new Set(values)].sort();
  return {
    states: { title: "Jobs", all: "in any state", values: [...JOB_STATES] },
    stages: { title: "Stage", all: "any", values: distinct(jobs.map((job) => job.stage)) },
    assignees: { title: "Assignee", all: "anybody", values: distinct(jobs.map((job) => job.assignee ?? "")) },
  };
}

/** What a review is about: "Pull fix_1", or "Pull job 12 of fix_1". */
export const reviewTitle = (key: string, { jobs }: JobChoice): string =>
  jobs.length ? `Pull job ${jobs.join(", ")} of ${key}` : `Pull ${key}`;

export const POLICY_TEXT: Record<Policy, { label: string; hint: string }> = {
  skip: { label: "Decide later", hint: "They stay as they are here, and the next pull asks again." },
  cvat_wins: { label: "Take CVAT's", hint: "The annotators' version replaces the one here." },
  fiftyone_wins: { label: "Keep ours", hint: "They stay as they are here, for good." },
};

const RECENT_MS = 10 * 60_000;

/** What an executor ended lately; null if it was none, or the user ended it. */
export function endedLately({ ended }: Operations, nowMs: number): EndedOperation | null {
  if (!ended || ended.stage === "cancelled") return null;
  return nowMs - Date.parse(ended.ended_at) < RECENT_MS ? ended : null;
}

/** "1 operation running, 2 waiting"; nothing if there are none. */
export const underWayText = ({ running, queued }: Operations): string =>
  [running ? `${plural(running, "operation")} running` : "", queued ? `${running ? queued : plural(queued, "operation")} waiting` : ""]
    .filter(Boolean)
    .join(", ");

export function executorText(executors: Executor[]): string {
  if (!executors.length) return "No executor is alive: ML work runs at once, in the App's server";
  return executors
    .map(({ target, host: machine, devices, busy }) => {
      const where = devices ? `${machine}, ${devices}` : machine;
      return `Executor ${target} on ${where}: ${busy ? "busy" : "idle"}`;
    })
    .join(" · ");
}
