/** Everything that is shown and can be computed. Pure. */
import { ago, duration, plural } from "../shared/text";
import { type Executor, type Operation, type Snapshot } from "./types";

export const isUnended = ({ stage }: Operation): boolean => stage === "running" || stage === "queued";

export const canCancel = (operation: Operation): boolean => isUnended(operation) && !operation.writing;

export const canRepeat = ({ stage, takes_back, again }: Operation): boolean =>
  (stage === "failed" || stage === "cancelled") && !takes_back && again === null;

/** The share that is done, in percent; null where it is not known. */
export const percent = ({ stage, progress }: Operation): number | null => {
  if (stage === "completed") return 100;
  if (progress === null) return null;
  return Math.round(100 * Math.min(Math.max(progress, 0), 1));
};

/** "compute_uniqueness" of "@relabel/cvat/compute_uniqueness". */
export const operatorName = (uri: string): string => uri.split("/").pop() ?? uri;

/** "gpu+big" and "host" of "gpu+big@host:123". */
const placeOf = (executor: string | null): string => executor?.replace(/:\d+$/, "") ?? "";

/** What an unfinished operation does, or what became of its last attempt. */
export const doingText = ({ stage, doing, writing }: Operation): string => {
  if (stage === "running" && writing) return "Writes its outcome: it can no longer be cancelled";
  return doing || (stage === "running" ? "Starting" : "");
};

/** The whole of an error, if that is more than its cause. */
export const errorText = ({ cause, error }: Operation): string =>
  error.replace(/\s+/g, " ").trim() === cause ? "" : error;

/** Where an operation stands, in a line under its name. */
export function stageText(operation: Operation, nowMs: number): string {
  const { stage, executor, attempt, started_at, ended_at, queued_at, before, takes_back } = operation;
  const again = attempt > 1 ? `, attempt ${attempt}` : "";
  switch (stage) {
    case "running":
      return `on ${placeOf(executor) || "another program"}${again} · started ${ago(started_at, nowMs)}`;
    case "queued":
      return `waits for ${targetText(operation)}${before ? `, after ${plural(before, "other")}` : ""} · asked for ${ago(queued_at, nowMs)}`;
    case "completed":
      return `${took(started_at, ended_at)} on ${placeOf(executor) || "another program"} · ${ago(ended_at, nowMs)}`;
    default:
      return `${stage}${again ? ` after attempt ${attempt}` : ""} · ${ago(ended_at, nowMs)}${takes_back ? " · takes back what it made" : ""}`;
  }
}

const targetText = ({ target }: Operation): string => (target ? `an executor of ${target}` : "any executor");

function took(from: string | null, to: string | null): string {
  const seconds = from && to ? (Date.parse(to) - Date.parse(from)) / 1000 : NaN;
  return Number.isNaN(seconds) ? "done" : `took ${duration(seconds)}`;
}

/** What keeps an unfinished operation from going on; nothing if all is well. */
export function standstill(operation: Operation): string {
  if (!isUnended(operation) || operation.has_executor) return "";
  if (operation.stage === "running") {
    return operation.executor === null
      ? ""
      : "Its executor is silent. Another one that is alive takes it over; if none is, start one.";
  }
  const { target } = operation;
  return target
    ? `No executor for ${target} is alive. Start one: make executor TARGET=${target}`
    : "No executor that takes what names no target is alive. Start one: make executor TARGET=gpu";
}

export const devicesText = ({ gpus, cpus, memory_gib }: Executor): string => {
  const gpu = gpus.length > 1 && new Set(gpus).size === 1 ? `${gpus.length} × ${gpus[0]}` : gpus.join(", ");
  return [gpu, plural(cpus, "CPU"), `${memory_gib.toLocaleString("en")} GiB`].filter(Boolean).join(" · ");
};

/** "no GPU, because ..."; nothing where there is one. */
export const noGpuText = ({ gpus, no_gpu_because }: Executor): string =>
  gpus.length || !no_gpu_because ? "" : `No GPU, ${no_gpu_because}`;

export const versionsText = ({ versions }: Executor): string =>
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(" · ");

export const targetsText = ({ targets, also_untargeted }: Executor): string =>
  [...targets, ...(also_untargeted ? ["untargeted"] : [])].join(", ");

/** "idle", "busy with apply_model", or for how long it has been silent. */
export function executorState({ alive, operation, silent_seconds }: Executor): string {
  if (!alive) return `silent for ${duration(silent_seconds)}`;
  return operation ? `busy with ${operatorName(operation).replaceAll("_", " ")}` : "idle";
}

/** "1 operation of other datasets runs, 2 wait"; nothing if there are none. */
export function elsewhereText({ elsewhere: { queued, running } }: Snapshot): string {
  const parts = [running ? `${running} running` : "", queued ? `${queued} waiting` : ""].filter(Boolean);
  return parts.length ? `Of other datasets: ${parts.join(", ")}` : "";
}

export function headline({ operations, executors }: Snapshot): string {
  const alive = executors.filter((executor) => executor.alive).length;
  const running = operations.filter(({ stage }) => stage === "running").length;
  const queued = operations.filter(({ stage }) => stage === "queued").length;
  const parts = [alive ? plural(alive, "executor") : "no executor"];
  if (running) parts.push(`${running} running`);
  if (queued) parts.push(`${queued} waiting`);
  return parts.join(" · ");
}
