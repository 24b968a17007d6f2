import React from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test, vi } from "vitest";
import { OperationsLine } from "../../src/cvat/OperationsLine";
import { PullDialog } from "../../src/cvat/PullDialog";
import { RoundCard } from "../../src/cvat/RoundCard";
import { type Review } from "../../src/cvat/state";
import { FINISHED, type Round } from "../../src/cvat/types";
import { type Actions } from "../../src/cvat/useCvatStatus";
import { type Work } from "../../src/cvat/useWork";
import { connected, CVAT, job, preview, round, sample, snapshot } from "./fixtures";

vi.mock("@fiftyone/operators", () => ({}));
vi.mock("@fiftyone/spaces", () => ({}));
vi.mock("@fiftyone/state", () => ({ getSampleSrc: (path: string) => `/media?filepath=${path}` }));

const actions = new Proxy({}, { get: () => () => {} }) as Actions;
const card = (shown: Round, isOpen = true, work: Work | null = null) =>
  renderToStaticMarkup(
    <RoundCard round={shown} connection={connected} isOpen={isOpen} isStale={false} isUndoing={work !== null} work={work} changing={[]} people={null} actions={actions} />,
  );

test("RoundCard: offers to pull what is finished, and links to CVAT in a new tab", () => {
  const html = card(round());
  expect(html).toContain("Pull 1 finished job");
  expect(html).toContain("4 of 12 images done");
  expect(html).toContain(`href="${CVAT}/tasks/386/jobs/441" target="_blank" rel="noopener noreferrer"`);
});

test("RoundCard: a merged job is marked, a round without news has nothing to pull", () => {
  const [task] = round().tasks;
  const html = card(round({ unpulled_jobs: 0, tasks: [{ ...task, jobs: [job({ pulled: true })] }] }));
  expect(html).toContain("relabel-pulled");
  expect(html).not.toContain("finished job");
});

test("RoundCard: says so when a task is gone", () => {
  const [task] = round().tasks;
  expect(card(round({ tasks: [{ ...task, missing: true, jobs: [] }] }))).toContain("not in CVAT any more");
});

test("RoundCard: draws the beginning of a long list of jobs", () => {
  const [task] = round().tasks;
  const jobs = Array.from({ length: 1000 }, (_, id) => job({ id }));
  const html = card(round({ tasks: [{ ...task, jobs }] }));
  expect(html.match(/relabel-job-\d+"/g)).toHaveLength(50);
  expect(html).toContain("950 other jobs");
});

const half: Work = { run: "r", share: 0.5, label: "Compared 1 of 2 jobs", cancelling: false };

test("RoundCard: says how far an undo is, and offers to cancel it", () => {
  const html = card(round(), true, half);
  expect(html).toContain("Compared 1 of 2 jobs");
  expect(html).toContain('aria-valuenow="50"');
  expect(html).toContain("relabel-work-cancel");
  expect(card(round())).not.toContain("relabel-work");
});

test("PullDialog: says how far a review or a merge is, and that it is being cancelled", () => {
  const merging: Review = { ...review({ moved: 1 }), phase: "merging" };
  const cancel = (html: string) => html.match(/<button[^>]*data-cy="relabel-cancel"[^>]*>/)?.[0] ?? "";
  expect(dialog(merging, half)).toContain("Compared 1 of 2 jobs");
  expect(cancel(dialog(merging, half))).not.toContain("disabled");
  const cancelling = dialog(merging, { ...half, cancelling: true });
  expect(cancelling).toContain("Ends with the step that it is at");
  expect(cancel(cancelling)).toContain("disabled");
});

test("RoundCard: a run that is no round says why, and offers nothing to pull", () => {
  const problem = { message: "The run old was sent to labelstudio, and not to CVAT.", advice: "Load it." };
  const html = card(round({ state: "left", problem, tasks: [], images: 0 }), false);
  expect(html).toContain("and not to CVAT");
  expect(html).toContain("Load it.");
  expect(html).not.toContain("finished job");
  expect(html).not.toContain("relabel-done");
});

test("RoundCard: says what could not be evaluated again after it, and offers to try again", () => {
  const missing = { message: "'eval' could not be evaluated again after fix_labels_1: no field.", advice: "Put that right." };
  const html = card(round({ unmeasured: [missing] }), false);
  expect(html).toContain("could not be evaluated again");
  expect(html).toContain("Put that right.");
  expect(html).toContain("relabel-try-again");
  expect(card(round(), false)).not.toContain("relabel-try-again");
});

test("RoundCard: a round whose field is gone says what to do before it is pulled", () => {
  const problem = { message: "The field 'gt' is no more in the dataset.", advice: "Name it 'gt' again." };
  const html = card(round({ problem }));
  expect(html).toContain("Name it &#x27;gt&#x27; again.");
  expect(html).not.toContain("finished job");
  expect(html).toContain("4 of 12 images done");
});

test("RoundCard: an interrupted round is not offered for review", () => {
  expect(card(round({ state: "pushing", unpulled_jobs: 0 }))).toContain("not all sent yet");
});

const review = (counts: NonNullable<Review["preview"]>["counts"], policy: Review["policy"] = "skip"): Review => ({
  key: "fix_labels_1",
  phase: "ready",
  preview: preview({ counts }),
  problem: null,
  policy,
  choice: FINISHED,
  leftOut: [],
});
const dialog = (shown: Review, work: Work | null = null) => renderToStaticMarkup(<PullDialog review={shown} jobs={round().tasks[0].jobs} work={work} actions={actions} />);

test("PullDialog: asks what becomes of conflicts only if there are some", () => {
  expect(dialog(review({ moved: 2 }))).not.toContain("relabel-policy");
  expect(dialog(review({ moved: 2, conflict: 1 }))).toContain("1 label was changed both here and in CVAT");
});

test("PullDialog: the button says what it will write", () => {
  expect(dialog(review({ moved: 2, conflict: 1 }))).toContain("Merge 2 changes");
  expect(dialog(review({ moved: 2, conflict: 1 }, "cvat_wins"))).toContain("Merge 3 changes");
  expect(dialog(review({}))).toContain("Mark as pulled");
});

test("PullDialog: shows every change with its picture, and what is left out paler", () => {
  const shown = { ...review({ moved: 1, added: 1 }), leftOut: ["s/moved"] };
  const html = dialog({ ...shown, preview: preview({ counts: { moved: 1, added: 1 }, samples: [sample()] }) });
  expect(html).toContain("photo.jpg");
  expect(html).toContain("dog → cat");
  expect(html.match(/<polygon/g)).toHaveLength(6);
  expect(html).toContain('opacity="0.25"');
});

test("PullDialog: says what cannot be taken over", () => {
  const shown = review({ moved: 1 });
  const html = dialog({ ...shown, preview: preview({ counts: { moved: 1 }, problems: ["Sample 7 is left out."] }) });
  expect(html).toContain("Sample 7 is left out.");
});

test("PullDialog: says that an image has more changes than are shown", () => {
  const many = preview({ counts: { added: 42 }, samples: [{ ...sample(), more_changes: 40 }] });
  const shown = { ...review({ added: 42 }), preview: many };
  expect(dialog(shown)).toContain("40 more changes, merged as well");
  expect(dialog({ ...shown, leftOut: ["s/moved", "s/added", "s"] })).toContain("left out as well");
});

test("PullDialog: draws the beginning of thousands of changes", () => {
  const changes = Array.from({ length: 10_000 }, (_, id) => ({ ...sample().changes[1], reference: `s/${id}` }));
  const many = Array.from({ length: 200 }, (_, id) => ({ ...sample(), id: `s${id}`, changes: id ? sample().changes : changes }));
  const html = dialog({ ...review({ added: 10_398 }), preview: preview({ counts: { added: 10_398 }, samples: many }) });
  expect(html.match(/data-cy="relabel-sample-/g)).toHaveLength(20);
  expect(html).toContain("9,980 other changes");
  expect(html).toContain("180 other samples");
});

test("OperationsLine: what has just ended can be shown, or looked into if it failed", () => {
  const ended = { id: "1", label: "Find label errors", stage: "completed" as const, ended_at: new Date().toISOString() };
  const line = (stage: "completed" | "failed") =>
    renderToStaticMarkup(
      <OperationsLine snapshot={snapshot({ operations: { queued: 0, running: 0, ended: { ...ended, stage } } })} actions={actions} />,
    );
  expect(line("completed")).toContain("Find label errors is done");
  expect(line("completed")).toContain("Show result");
  expect(line("failed")).toContain("Find label errors failed");
  expect(line("failed")).toContain("Show why");
  expect(renderToStaticMarkup(<OperationsLine snapshot={snapshot()} actions={actions} />)).not.toContain("relabel-ended");
});
