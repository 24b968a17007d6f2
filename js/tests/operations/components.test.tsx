import React from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test, vi } from "vitest";
import { Content } from "../../src/operations/RelabelOperations";
import { type Snapshot } from "../../src/operations/types";
import { type Actions, type Status } from "../../src/operations/useOperations";
import { executor, operation, snapshot } from "./fixtures";

vi.mock("@fiftyone/operators", () => ({}));
vi.mock("@fiftyone/spaces", () => ({}));
vi.mock("@fiftyone/state", () => ({}));
vi.mock("recoil", () => ({}));

const actions = new Proxy({}, { get: () => () => {} }) as Actions;
const content = (shown: Snapshot, changes: Partial<Status> = {}) => {
  const status = { snapshot: shown, problem: null, refused: null, refreshing: false, open: [], changing: [], ...changes };
  return renderToStaticMarkup(<Content snapshot={shown} status={status} actions={actions} />);
};

test("a running operation: how far it is, and a way to cancel it", () => {
  const html = content(snapshot());
  expect(html).toContain("412 of 1,000 images, 2 minutes left");
  expect(html).toContain('aria-valuenow="41"');
  expect(html).toContain("relabel-cancel");
  expect(html).not.toContain("relabel-repeat");
});

test("what writes its outcome cannot be cancelled", () => {
  const html = content(snapshot({ operations: [operation({ writing: true })] }));
  expect(html).not.toContain("relabel-cancel");
  expect(html).toContain("writing");
});

test("a failed operation: its cause, its log and error where opened, a way to run it again", () => {
  const failed = operation({ stage: "failed", cause: "No such model.", error: "Traceback", log_tail: "loading" });
  const html = content(snapshot({ operations: [failed] }), { open: ["1"] });
  expect(html).toContain("No such model.");
  expect(html).toContain("loading");
  expect(html).toContain("Traceback");
  expect(html).toContain("relabel-repeat");
  expect(content(snapshot({ operations: [failed] }))).not.toContain("Traceback");
});

test("an opened operation: what it was asked with", () => {
  const one = operation({ asked: [["label_field", "predictions"]] });
  const html = content(snapshot({ operations: [one] }), { open: ["1"] });
  expect(html).toMatch(/label field.*predictions/);
  expect(content(snapshot({ operations: [one] }))).not.toContain("predictions");
});

test("a queued operation: no bar, as nothing is done yet", () => {
  const html = content(snapshot({ operations: [operation({ stage: "queued", doing: "Queued again: it was lost." })] }));
  expect(html).toContain("Queued again: it was lost.");
  expect(html).not.toContain("progressbar");
});

test("no executor: says how to start one", () => {
  const html = content(snapshot({ operations: [], executors: [] }));
  expect(html).toContain("make executor TARGET=gpu");
  expect(html).not.toContain("relabel-empty");
});

test("an idle executor: nothing to do", () => {
  const html = content(snapshot({ operations: [] }));
  expect(html).toContain("relabel-empty");
  expect(html).toContain("2 × NVIDIA H200");
});

test("a silent executor is marked", () => {
  expect(content(snapshot({ executors: [executor({ alive: false, silent_seconds: 60 })] }))).toContain("silent for 1 min");
});

test("draws the beginning of many operations", () => {
  const operations = Array.from({ length: 50 }, (_, id) => operation({ id: `${id}` }));
  const html = content(snapshot({ operations }));
  expect(html.match(/data-stage=/g)).toHaveLength(10);
  expect(html).toContain("40 other operations");
});
