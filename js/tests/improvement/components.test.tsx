import React from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test, vi } from "vitest";
import { Headline } from "../../src/improvement/Headline";
import { NothingEvaluated } from "../../src/improvement/Placeholders";
import { RoundTable } from "../../src/improvement/RoundTable";
import { type Details, type Unmeasured } from "../../src/improvement/types";
import { UnmeasuredWarning } from "../../src/improvement/UnmeasuredWarning";
import { type Actions } from "../../src/improvement/useImprovement";
import { YardstickWarning } from "../../src/improvement/YardstickWarning";
import { entry, evaluation, next } from "./fixtures";

vi.mock("@fiftyone/operators", () => ({}));
vi.mock("@fiftyone/spaces", () => ({}));

const actions = new Proxy({}, { get: () => () => {} }) as Actions;
const figure = { before: 0.5, after: 0.75, low: 0.1, high: 0.4, changed: 3 };
const details: Details = {
  classes: [{ name: "cat", ...figure }],
  errors: [
    { name: "missed", before: 12, after: 10, low: -4, high: -1, changed: 2 },
    { name: "duplicate", before: 0, after: 0, low: 0, high: 0, changed: 0 },
  ],
  suspicions: [{ type: "wrong class", fixed: 15, model_wrong: 5, left: 0, precision: 0.75 }],
};
const table = (opened: number[]) =>
  renderToStaticMarkup(
    <RoundTable evaluation={evaluation([entry({ mended: 34 }), next()])} opened={opened} details={{ 0: { ok: true, value: details } }} actions={actions} />,
  );

test("RoundTable: the newest round is first", () => {
  const html = table([]);
  expect(html.indexOf("relabel-entry-1")).toBeLessThan(html.indexOf("relabel-entry-0"));
  expect(html).toContain("+0.021 to +0.049");
  expect(html).toMatch(/<button[^>]*data-cy="relabel-labels-0"[^>]*>46</);
  expect(html).toContain("relabel-mended-0");
  expect(html).not.toContain("relabel-mended-1");
});

test("RoundTable: an entry names the rounds that it measures as well", () => {
  const caughtUp = next({ caught_up: ["fix_labels"] });
  const html = renderToStaticMarkup(<RoundTable evaluation={evaluation([caughtUp])} opened={[]} details={{}} actions={actions} />);
  expect(html).toContain("with fix_labels<");
});

test("RoundTable: an open round shows classes, the errors that there are, and suspicions", () => {
  const html = table([0]);
  expect(html).toContain("+0.100 to +0.400");
  expect(html).toContain("−4 to −1");
  expect(html).not.toContain("duplicate");
  expect(html).toContain("75 %");
  expect(html).toMatch(/relabel-fixed-wrong class[^>]*>15</);
  expect(html).not.toContain("relabel-fixed-all");
});

test("Headline: the score alone before there is a round", () => {
  const html = renderToStaticMarkup(<Headline evaluation={evaluation([])} onShow={() => {}} />);
  expect(html).toContain("0.396");
  expect(html).not.toContain("<button");
});

test("Headline: what all rounds did opens the samples behind it", () => {
  const html = renderToStaticMarkup(<Headline evaluation={evaluation([entry(), next()])} onShow={() => {}} />);
  expect(html).toMatch(/<button[^>]*data-cy="relabel-gain-all"[^>]*>\+0.044/);
});

test("YardstickWarning: nothing where other labels were mended", () => {
  const warning = (mended: number) => renderToStaticMarkup(<YardstickWarning evaluation={evaluation([entry({ mended })])} onShow={() => {}} />);
  expect(warning(0)).toBe("");
  expect(warning(34)).toContain("The yardstick changed.");
});

test("UnmeasuredWarning: says which scores are not there and why, and offers to try again", () => {
  const warning = (unmeasured: Unmeasured[], isTrying = false) =>
    renderToStaticMarkup(<UnmeasuredWarning unmeasured={unmeasured} isTrying={isTrying} onTry={() => {}} onEvaluate={() => {}} />);
  const missing = { rounds: ["fix"], eval_key: "eval", message: "Not evaluated after fix: no field.", advice: "Put that right." };
  expect(warning([])).toBe("");
  expect(warning([missing])).toContain("Not evaluated after fix: no field.");
  expect(warning([missing])).toContain("Put that right.");
  const button = (html: string) => html.match(/<button[^>]*data-cy="relabel-try-again"[^>]*>/)?.[0] ?? "";
  expect(button(warning([missing]))).not.toContain("disabled");
  expect(button(warning([missing], true))).toContain("disabled");
});

test("NothingEvaluated: names the evaluations that are not measured again", () => {
  expect(renderToStaticMarkup(<NothingEvaluated others={["stock"]} actions={actions} />)).toContain("stock is not of Relabel");
});
