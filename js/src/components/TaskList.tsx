import { Box, Tooltip } from "@mui/material";
import React from "react";
import { ago, plural } from "../derive";
import { type Job, type Task } from "../types";
import { useNow } from "../useNow";
import { ExternalLink } from "./ExternalLink";
import { CheckIcon } from "./icons";
import { STATE_COLOR } from "./ProgressBar";

const NARROW = "@container (max-width: 430px)";
const COLUMNS = "minmax(60px, .7fr) minmax(60px, 1fr) minmax(74px, .8fr) minmax(112px, 1.1fr) minmax(64px, .6fr) minmax(74px, .7fr)";
const NARROW_COLUMNS = "auto minmax(48px, 1fr) auto";

export function TaskList({ tasks }: { tasks: Task[] }) {
  const now = useNow(30_000);
  return (
    <Box sx={{ pl: 4.5, pr: 1, pb: 0.5 }}>
      <Box sx={{ containerType: "inline-size", fontSize: 13, color: "text.secondary" }}>
        {tasks.map((task) => (
          <TaskBlock key={task.id} task={task} now={now} />
        ))}
      </Box>
    </Box>
  );
}

function TaskBlock({ task, now }: { task: Task; now: number }) {
  return (
    <Box data-cy={`relabel-task-${task.id}`} sx={{ borderTop: 1, borderColor: "divider", mt: 1, pt: 0.75, pb: 0.25 }}>
      <Box sx={{ display: "flex", justifyContent: "space-between", gap: 2, mb: 0.25 }}>
        <Cell>
          task {task.id} · {task.name}
        </Cell>
        {task.missing ? (
          <Box sx={{ color: "error.main", whiteSpace: "nowrap" }}>not in CVAT any more</Box>
        ) : (
          <ExternalLink href={task.url}>open in CVAT</ExternalLink>
        )}
      </Box>
      {task.jobs.map((job) => (
        <JobRow key={job.id} job={job} now={now} />
      ))}
    </Box>
  );
}

function JobRow({ job, now }: { job: Job; now: number }) {
  return (
    <Box
      data-cy={`relabel-job-${job.id}`}
      sx={{
        display: "grid",
        gridTemplateColumns: COLUMNS,
        columnGap: 1.5,
        alignItems: "center",
        py: 0.375,
        [NARROW]: { gridTemplateColumns: NARROW_COLUMNS, "& .wide": { display: "none" } },
      }}
    >
      <ExternalLink href={job.url}>job {job.id}</ExternalLink>
      <Cell faint={!job.assignee}>{job.assignee ?? "nobody"}</Cell>
      <Cell wide>{job.stage}</Cell>
      <JobState job={job} />
      <Cell wide>{plural(job.images, "image")}</Cell>
      <Cell faint wide>{ago(job.updated_at, now)}</Cell>
    </Box>
  );
}

function JobState({ job: { state, pulled } }: { job: Job }) {
  return (
    <Box sx={{ display: "flex", alignItems: "center", gap: 0.75, whiteSpace: "nowrap", color: "text.primary" }}>
      <Box sx={{ width: 7, height: 7, borderRadius: 4, bgcolor: STATE_COLOR[state], flexShrink: 0 }} />
      {state}
      {pulled && (
        <Tooltip title="Merged, and not changed in CVAT since" placement="top">
          <CheckIcon data-cy="relabel-pulled" sx={{ fontSize: 15, color: "success.main" }} />
        </Tooltip>
      )}
    </Box>
  );
}

interface CellProps {
  children: React.ReactNode;
  faint?: boolean;
  /** Whether it is left out where there is little room. */
  wide?: boolean;
}

function Cell({ children, faint = false, wide = false }: CellProps) {
  return (
    <Box
      className={wide ? "wide" : undefined}
      sx={{
        color: faint ? "text.tertiary" : undefined,
        overflow: "hidden",
        textOverflow: "ellipsis",
        whiteSpace: "nowrap",
      }}
    >
      {children}
    </Box>
  );
}
