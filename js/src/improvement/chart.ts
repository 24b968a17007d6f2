/** Where the chart of the score draws what. Pure. */
import { type Entry } from "./types";

export const HEIGHT = 190;
const LEFT = 46;
const RIGHT = 14;
const TOP = 14;
const BOTTOM = 26;
const TICKS = 4;
const NARROWEST_LABEL = 56;
const LETTER = 6.4;
const LEAST_SPAN = 0.02;

export interface Point {
  x: number;
  y: number;
  /** The entry that led to it; null where a stretch of the line begins. */
  entry: Entry | null;
  /** The ends of the bar of its interval. */
  bar: { top: number; bottom: number } | null;
  label: string;
}

export interface Line {
  from: Point;
  to: Point;
}

export interface Tick {
  y: number;
  text: string;
}

export interface Chart {
  points: Point[];
  lines: Line[];
  ticks: Tick[];
  /** How much room each point has. */
  slot: number;
  left: number;
  right: number;
  bottom: number;
}

interface Place {
  score: number | null;
  entry: Entry | null;
  starts: boolean;
}

/** Lays out the scores of entries, oldest first, in a width in pixels. */
export function layOut(entries: Entry[], width: number): Chart {
  const places = placesOf(entries);
  const right = Math.max(width - RIGHT, LEFT + 1);
  const slot = (right - LEFT) / Math.max(places.length, 1);
  const bottom = HEIGHT - BOTTOM;
  const { low, high, step } = scale(places);
  const y = (score: number) => bottom - ((score - low) / (high - low)) * (bottom - TOP);
  const every = Math.ceil(NARROWEST_LABEL / slot);
  const lastIndex = places.length - 1;
  const drawn = places.map(({ score, entry, starts }, index): (Point & { starts: boolean }) | null => {
    if (score === null) return null;
    const isNamed = (lastIndex - index) % every === 0;
    const bar = barOf(entry);
    return {
      x: LEFT + slot * (index + 0.5),
      y: y(score),
      entry,
      bar: bar && { top: y(bar.high), bottom: y(bar.low) },
      label: isNamed ? shortened(nameOf(entry), slot * every) : "",
      starts,
    };
  });
  const lines = drawn.flatMap((to, index) => {
    const from = drawn[index - 1];
    return to && from && !to.starts ? [{ from, to }] : [];
  });
  const points = drawn.filter((point) => point !== null);
  return { points, lines, ticks: ticksOf(low, high, step, y), slot, left: LEFT, right, bottom };
}

/** Each entry's score, and before each stretch of entries the score that it began with. */
const placesOf = (entries: Entry[]): Place[] =>
  entries.flatMap((entry): Place[] => {
    const after = { score: entry.after, entry, starts: false };
    return entry.follows ? [after] : [{ score: entry.before, entry: null, starts: true }, after];
  });

/** The interval is that of the change, so it stands on the score before; no score is beyond 0 and 1. */
function barOf(entry: Entry | null): { low: number; high: number } | null {
  if (!entry || entry.before === null || entry.low === null || entry.high === null) return null;
  return { low: Math.max(0, entry.before + entry.low), high: Math.min(1, entry.before + entry.high) };
}

function scale(places: Place[]): { low: number; high: number; step: number } {
  const shown = places.flatMap(({ score, entry }) => {
    const bar = barOf(entry);
    return [...(score === null ? [] : [score]), ...(bar ? [bar.low, bar.high] : [])];
  });
  const [least, most] = shown.length ? [Math.min(...shown), Math.max(...shown)] : [0, 1];
  const middle = (least + most) / 2;
  const half = Math.max(most - least, LEAST_SPAN) / 2;
  const step = niceStep((2 * half) / TICKS);
  const low = Math.max(0, Math.floor((middle - half) / step) * step);
  const high = Math.min(1, Math.ceil((middle + half) / step) * step);
  return { low, high: Math.max(high, low + step), step };
}

/** The smallest of 1, 2, 5, 10, ... times a power of ten that is not below a number. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((times) => times * power >= least * 0.999) ?? 10);
}

function ticksOf(low: number, high: number, step: number, y: (score: number) => number): Tick[] {
  const digits = Math.max(1, -Math.floor(Math.log10(step) + 1e-9));
  const count = Math.round((high - low) / step);
  return Array.from({ length: count + 1 }, (_, index) => {
    const score = low + index * step;
    return { y: y(score), text: score.toFixed(digits) };
  });
}

function nameOf(entry: Entry | null): string {
  if (!entry) return "before";
  return entry.cause === "undo" ? "undone" : entry.round;
}

function shortened(text: string, room: number): string {
  const letters = Math.max(3, Math.floor(room / LETTER));
  return text.length > letters ? `${text.slice(0, letters - 1)}…` : text;
}
