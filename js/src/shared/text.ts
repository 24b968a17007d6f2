/** How numbers and times are said. Pure. */

export const plural = (count: number, noun: string, nouns = `${noun}s`): string =>
  `${count.toLocaleString("en")} ${count === 1 ? noun : nouns}`;

const UNITS: [seconds: number, name: string][] = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/** "12 min ago". Clocks of two machines differ a little: the future is now. */
export function ago(moment: string | null, nowMs: number): string {
  const then = moment === null ? NaN : Date.parse(moment);
  if (Number.isNaN(then)) return "–";
  const seconds = Math.floor((nowMs - then) / 1000);
  const unit = UNITS.find(([size]) => seconds >= size);
  return unit ? `${Math.floor(seconds / unit[0])} ${unit[1]} ago` : "just now";
}

/** "8 s", "3 min 20 s", "2 h 5 min", "3 d". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const first = UNITS.findIndex(([size]) => whole >= size);
  if (first < 0) return "0 s";
  const [size, name] = UNITS[first];
  const [smaller, smallerName] = UNITS[first + 1] ?? [1, ""];
  const rest = Math.floor((whole % size) / smaller);
  const head = `${Math.floor(whole / size)} ${name}`;
  return rest && smallerName ? `${head} ${rest} ${smallerName}` : head;
}
