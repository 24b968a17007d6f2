/** Everything that is shown and can be computed. Pure. */
import { plural } from "../shared/text";
import { type Change, type Entry, type Evaluation } from "./types";

const MINUS = "−";

/** "0.396"; a dash where it is not known. */
export const scoreText = (score: number | null): string => (score === null ? "–" : score.toFixed(3));

/** "+0.035", "−12" or "0"; a difference always has its sign. */
export function signed(value: number, digits: number): string {
  const text = digits ? Math.abs(value).toFixed(digits) : Math.abs(value).toLocaleString("en", { maximumFractionDigits: 0 });
  if (Number(text.replace(/,/g, "")) === 0) return text;
  return `${value > 0 ? "+" : MINUS}${text}`;
}

export const gainOf = ({ before, after }: Change): number | null => (before === null || after === null ? null : after - before);

export const gainText = (change: Change, digits = 3): string => {
  const gain = gainOf(change);
  return gain === null ? "–" : signed(gain, digits);
};

/** "+0.021 to +0.049"; nothing where it is not known, or where nothing can have changed. */
export function intervalText({ low, high }: Change, digits = 3): string {
  if (low === null || high === null) return "";
  const [from, to] = [signed(low, digits), signed(high, digits)];
  return from === to && Number(from) === 0 ? "" : `${from} to ${to}`;
}

export type Tone = "better" | "worse" | "unsure";

/** Whether a change is for the better; one whose interval holds zero, as it is shown, may be chance. */
export function toneOf({ low, high }: Change, moreIsBetter: boolean, digits = 3): Tone {
  if (low === null || high === null) return "unsure";
  const [from, to] = [low, high].map((end) => Number(end.toFixed(digits)));
  if (from <= 0 && to >= 0) return "unsure";
  return from > 0 === moreIsBetter ? "better" : "worse";
}

export const TONE_COLOR: Record<Tone, string> = { better: "success.main", worse: "error.main", unsure: "text.primary" };

/** "a minute", "25 min", "2.5 h"; a dash where it is not known. */
export function minutesText(minutes: number | null): string {
  if (minutes === null) return "–";
  if (minutes < 1.5) return "1 min";
  if (minutes < 57.5) return `${Math.round(minutes)} min`;
  const hours = minutes / 60;
  return hours < 9.75 ? `${Math.round(2 * hours) / 2} h` : `${Math.round(hours).toLocaleString("en")} h`;
}

/** The entries since the last time that something but labels changed. */
export function lastStretch(entries: Entry[]): Entry[] {
  const breaks = entries.map((entry, index) => (index && !entry.follows ? index : 0));
  return entries.slice(Math.max(0, ...breaks));
}

/** The pulls that were not undone. */
export function standing(entries: Entry[]): Entry[] {
  const pulls: Entry[] = [];
  for (const entry of entries) {
    if (entry.cause === "pull") {
      pulls.push(entry);
      continue;
    }
    const undone = pulls.map(nameOf).lastIndexOf(nameOf(entry));
    if (undone >= 0) pulls.splice(undone, 1);
  }
  return pulls;
}

/** All rounds that an entry measures, oldest first. */
export const roundsOf = ({ round, caught_up }: Entry): string[] => [...caught_up, round];

const nameOf = ({ round, pull }: Entry): string => `${round}/${pull}`;

export interface Summary extends Change {
  /** "over 2 rounds: 58 labels mended in about 25 min". */
  text: string;
  /** Why the score is not what the last round made it, or why it begins anew; empty otherwise. */
  remark: string;
}

/** What all rounds together did; of a single one its interval is known as well. */
export function summarize({ entries, map }: Evaluation): Summary | null {
  if (!entries.length) return null;
  const stretch = lastStretch(entries);
  const pulls = standing(stretch);
  const [first, last] = [stretch[0], stretch[stretch.length - 1]];
  const { low, high } = stretch.length === 1 ? first : { low: null, high: null };
  return { before: first.before, after: last.after, low, high, text: costText(pulls), remark: remark(entries, stretch, map) };
}

function costText(pulls: Entry[]): string {
  if (!pulls.length) return "every pull was undone";
  const rounds = new Set(pulls.flatMap(roundsOf)).size;
  const labels = pulls.reduce((sum, pull) => sum + pull.labels, 0);
  const known = pulls.flatMap((pull) => (pull.minutes === null ? [] : [pull.minutes]));
  const minutes = known.reduce((sum, each) => sum + each, 0);
  const time = known.length ? ` in about ${minutesText(minutes)}` : "";
  return `${plural(rounds, "round")}, ${plural(labels, "label")} mended${time}`;
}

function remark(entries: Entry[], stretch: Entry[], now: number | null): string {
  const last = stretch[stretch.length - 1];
  if (now !== last.after) return `It was evaluated anew since: ${scoreText(now)} now.`;
  return stretch.length < entries.length ? "Since samples or predictions changed; earlier scores are of others." : "";
}

/** What the warning says: on how many samples the score is measured on other labels than before. */
export function yardstickText({ entries }: Evaluation): string {
  const pulls = standing(lastStretch(entries)).filter((pull) => pull.mended > 0);
  if (!pulls.length) return "";
  const rounds = [...new Set(pulls.flatMap(roundsOf))];
  const which = rounds.length > 1 ? `${rounds.length} rounds` : rounds[0];
  const mended = pulls.reduce((sum, pull) => sum + pull.mended, 0);
  return `The score is measured on labels that ${which} mended (${plural(mended, "image")}). It changed because they did; the model is the same.`;
}

/** "Show the 12 samples whose dogs changed"; nothing where there are none. */
export const behindText = (changed: number, what: string): string =>
  changed ? `Show the ${plural(changed, "sample")} ${what}` : "No sample is behind it";
