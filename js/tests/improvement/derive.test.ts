import { expect, test } from "vitest";
import {
  behindText,
  gainText,
  intervalText,
  lastStretch,
  minutesText,
  scoreText,
  signed,
  standing,
  summarize,
  toneOf,
  yardstickText,
} from "../../src/improvement/derive";
import { entry, evaluation, next } from "./fixtures";

const undone = (changes = {}) => entry({ number: 1, cause: "undo", before: 0.431, after: 0.396, follows: true, labels: 0, minutes: null, ...changes });

test.each([
  [0.0354, 3, "+0.035"],
  [-0.0354, 3, "−0.035"],
  [-0.0004, 3, "0.000"],
  [0, 3, "0.000"],
  [-11, 0, "−11"],
  [1234, 0, "+1,234"],
  [0.4, 0, "0"],
])("signed: %d with %d digits", (value, digits, text) => expect(signed(value, digits)).toBe(text));

test("scoreText and gainText: a dash where it is not known", () => {
  expect([scoreText(0.4), scoreText(null)]).toEqual(["0.400", "–"]);
  expect([gainText(entry()), gainText(entry({ before: null }))]).toEqual(["+0.035", "–"]);
});

test("intervalText: nothing where it is not known, or where nothing can have changed", () => {
  expect(intervalText(entry())).toBe("+0.021 to +0.049");
  expect(intervalText(entry({ low: null }))).toBe("");
  expect(intervalText({ before: 18, after: 18, low: 0, high: 0 }, 0)).toBe("");
  expect(intervalText({ before: 18, after: 7, low: -17, high: 0 }, 0)).toBe("−17 to 0");
});

test("toneOf: a change whose interval holds zero may be chance", () => {
  expect(toneOf(entry(), true)).toBe("better");
  expect(toneOf(entry(), false)).toBe("worse");
  expect(toneOf(entry({ low: -0.01 }), true)).toBe("unsure");
  expect(toneOf(entry({ low: 0 }), true)).toBe("unsure");
  expect(toneOf(entry({ low: 0.0004 }), true)).toBe("unsure");
  expect(toneOf(entry({ low: -9, high: -2 }), false)).toBe("better");
  expect(toneOf(entry({ low: null, high: null }), true)).toBe("unsure");
});

test.each([
  [null, "–"],
  [0.4, "1 min"],
  [25.4, "25 min"],
  [58, "1 h"],
  [95, "1.5 h"],
  [60_000, "1,000 h"],
])("minutesText: %s", (minutes, text) => expect(minutesText(minutes)).toBe(text));

test("lastStretch: since something but labels changed", () => {
  const entries = [entry(), next(), next({ number: 2, follows: false }), next({ number: 3 })];
  expect(lastStretch(entries).map(({ number }) => number)).toEqual([2, 3]);
  expect(lastStretch([entry(), next()])).toHaveLength(2);
  expect(lastStretch([])).toEqual([]);
});

test("standing: an undo takes back the last pull of its round", () => {
  const entries = [entry(), undone(), entry({ number: 2 }), next({ number: 3 }), undone({ number: 4, round: "unknown" })];
  expect(standing(entries).map(({ number }) => number)).toEqual([2, 3]);
});

test("standing: a pull that changed nothing and cannot be undone stays", () => {
  const entries = [entry(), entry({ number: 1, pull: 0 }), undone({ number: 2 })];
  expect(standing(entries).map(({ number }) => number)).toEqual([1]);
});

test("summarize: from the first score to the last, and what it cost", () => {
  expect(summarize(evaluation([]))).toBeNull();
  expect(summarize(evaluation([entry()]))).toMatchObject({ low: 0.021, high: 0.049, text: "1 round, 46 labels mended in about 25 min", remark: "" });
  expect(summarize(evaluation([entry(), next()]))).toEqual({
    before: 0.396,
    after: 0.44,
    low: null,
    high: null,
    text: "2 rounds, 58 labels mended in about 25 min",
    remark: "",
  });
  expect(summarize(evaluation([entry(), undone()]))?.text).toBe("every pull was undone");
});

test("summarize: says where scores are not of the same", () => {
  expect(summarize(evaluation([entry()], { map: 0.52 }))?.remark).toContain("0.520 now");
  const anew = summarize(evaluation([entry(), next({ follows: false })]));
  expect(anew).toMatchObject({ before: 0.431, text: "1 round, 12 labels mended" });
  expect(anew?.remark).toContain("predictions changed");
});

test("yardstickText: of rounds that stand, and mended what the score is measured on", () => {
  expect(yardstickText(evaluation([entry()]))).toBe("");
  expect(yardstickText(evaluation([entry({ mended: 34 })]))).toContain("labels that fix_labels mended (34 images)");
  expect(yardstickText(evaluation([entry({ mended: 34 }), next({ mended: 6 })]))).toContain("2 rounds mended (40 images)");
  expect(yardstickText(evaluation([next({ mended: 34, caught_up: ["fix_labels"] })]))).toContain("2 rounds mended (34 images)");
  expect(yardstickText(evaluation([entry({ mended: 34 }), undone({ mended: 34 })]))).toBe("");
});

test("behindText: how many samples a click shows", () => {
  expect(behindText(1, "whose labels changed")).toBe("Show the 1 sample whose labels changed");
  expect(behindText(0, "whose labels changed")).toBe("No sample is behind it");
});
