import { expect, test } from "vitest";
import { ago, duration, plural } from "../../src/shared/text";

const NOON = Date.parse("2026-11-23T12:00:00Z");

test.each([
  ["2026-11-23T12:00:00+00:00", "just now"],
  ["2026-11-23T12:00:30+00:00", "just now"], // another machine's clock is ahead
  ["2026-11-23T11:59:56+00:00", "4 s ago"],
  ["2026-11-23T13:48:00+02:00", "12 min ago"],
  ["2026-11-23T10:01:00+00:00", "1 h ago"],
  ["2026-11-20T12:00:00+00:00", "3 d ago"],
  [null, "–"],
  ["never", "–"],
])("ago: %s", (moment, text) => expect(ago(moment, NOON)).toBe(text));

test("plural: groups thousands", () => {
  expect([plural(1, "job"), plural(2, "job"), plural(5000, "image")]).toEqual(["1 job", "2 jobs", "5,000 images"]);
});

test.each([
  [0.2, "0 s"],
  [8, "8 s"],
  [200, "3 min 20 s"],
  [180, "3 min"],
  [7500, "2 h 5 min"],
  [3 * 86400 + 60, "3 d"],
])("duration: %s", (seconds, text) => expect(duration(seconds)).toBe(text));
