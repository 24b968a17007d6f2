import { expect, test } from "vitest";
import { HEIGHT, layOut } from "../../src/improvement/chart";
import { entry, next } from "./fixtures";

test("layOut: begins with the score before, and stands each interval on it", () => {
  const { points, lines, ticks, left, right, bottom } = layOut([entry(), next()], 500);
  expect(points.map(({ entry, label }) => [entry?.number, label])).toEqual([
    [undefined, "before"],
    [0, "fix_labels"],
    [1, "fix_labels_2"],
  ]);
  expect(lines).toHaveLength(2);
  const [before, first] = points;
  expect(before.bar).toBeNull();
  const perPoint = (first.y - before.y) / (0.431 - 0.396);
  expect(first.bar?.top).toBeCloseTo(before.y + 0.049 * perPoint);
  expect(first.bar?.bottom).toBeCloseTo(before.y + 0.021 * perPoint);
  for (const { x, y, bar } of points) {
    expect(x).toBeGreaterThan(left);
    expect(x).toBeLessThan(right);
    for (const edge of [y, bar?.top ?? y, bar?.bottom ?? y]) {
      expect(edge).toBeGreaterThan(0);
      expect(edge).toBeLessThanOrEqual(bottom);
    }
  }
  expect(ticks.map(({ text }) => text)).toEqual(["0.38", "0.40", "0.42", "0.44", "0.46"]);
});

test("layOut: an interval ends where scores do", () => {
  const { points, ticks, bottom } = layOut([entry({ before: 0.9, after: 1, low: 0, high: 0.3 })], 500);
  expect(points[1].bar?.top).toBe(points[1].y);
  expect(points[1].bar?.bottom).toBeLessThanOrEqual(bottom);
  expect(Number(ticks[ticks.length - 1].text)).toBe(1);
});

test("layOut: the line breaks where samples or predictions changed", () => {
  const { points, lines } = layOut([entry(), next({ follows: false })], 500);
  expect(points.map(({ label }) => label)).toEqual(["before", "fix_labels", "before", "fix_labels_2"]);
  expect(lines.map(({ from, to }) => [from.label, to.label])).toEqual([
    ["before", "fix_labels"],
    ["before", "fix_labels_2"],
  ]);
});

test("layOut: a score that is not known has no point, and no line leads over it", () => {
  const { points, lines } = layOut([entry(), next({ after: null }), next({ number: 2, before: null })], 500);
  expect(points.map(({ entry }) => entry?.number)).toEqual([undefined, 0, 2]);
  expect(lines).toHaveLength(1);
});

test("layOut: of many rounds some are named, the last always", () => {
  const many = [entry(), ...Array.from({ length: 60 }, (_, index) => next({ number: index + 1 }))];
  const named = layOut(many, 500).points.filter(({ label }) => label);
  expect(named.length).toBeLessThan(10);
  expect(named[named.length - 1].entry?.number).toBe(60);
});

test("layOut: a long name is shortened to its room", () => {
  const [, point] = layOut([entry({ round: "suspicious_night_images_of_november" })], 300).points;
  expect(point.label).toMatch(/^suspicious_.*…$/);
  expect(point.label.length).toBeLessThan(20);
});

test.each([0, 1, 0.5])("layOut: a score that stays %d has ticks that differ, within 0 and 1", (score) => {
  const { ticks, points } = layOut([entry({ before: score, after: score, low: 0, high: 0 })], 400);
  const texts = ticks.map(({ text }) => text);
  expect(new Set(texts).size).toBe(texts.length);
  expect(texts.length).toBeGreaterThan(1);
  expect(Math.min(...texts.map(Number))).toBeGreaterThanOrEqual(0);
  expect(Math.max(...texts.map(Number))).toBeLessThanOrEqual(1);
  for (const { y } of points) {
    expect(y).toBeGreaterThan(0);
    expect(y).toBeLessThan(HEIGHT);
  }
});
