import { Box, Typography } from "@mui/material";
import React from "react";
import { ago, plural } from "../derive";
import { type Job, type Task } from "../types";
import { useNow } from "../useNow";
import { ExternalLink } from "./ExternalLink";
import { STATE_COLOR } from "./ProgressBar";

const COLUMNS = "minmax(64px, .8fr) minmax(70px, 1.2fr) minmax(72px, 1fr) minmax(88px, 1fr) minmax(64px, .7fr) minmax(76px, .8fr)";

export function TaskList({ tasks }: { tasks: Task[] }) {
  const now = useNow(30_000);
  return (
    <Box sx={{ pl: 4.5, pr: 1, pb: 0.5, overflowX: "auto" }}>
      {tasks.map((task) => (
        <TaskBlock key={task.id} task={task} now={now} />
      ))}
    </Box>
  );
}

function TaskBlock({ task, now }: { task: Task; now: number }) {
  return (
    <Box data-cy={`relabel-task-${task.id}`} sx={{ borderTop: 1, borderColor: "divider", mt: 1, pt: 0.75 }}>
      <Box sx={{ display: "flex", justifyContent: "space-between", gap: 2, fontSize: 13 }}>
        <Typography variant="caption" color="text.secondary" noWrap>
          task {task.id} · {task.name}
        </Typography>
        {task.missing ? (
          <Typography variant="caption" color="error.main" noWrap>
            deleted in CVAT
          </Typography>
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
      sx={{ display: "grid", gridTemplateColumns: COLUMNS, columnGap: 1.5, alignItems: "center", fontSize: 13, py: 0.375 }}
    >
      <ExternalLink href={job.url}>job {job.id}</ExternalLink>
      <Cell faint={!job.assignee}>{job.assignee ?? "nobody"}</Cell>
      <Cell>{job.stage}</Cell>
      <Box sx={{ display: "flex", alignItems: "center", gap: 0.75, whiteSpace: "nowrap" }}>
        <Box sx={{ width: 7, height: 7, borderRadius: 4, bgcolor: STATE_COLOR[job.state], flexShrink: 0 }} />
        {job.state}
      </Box>
      <Cell>{plural(job.images, "image")}</Cell>
      <Cell faint>{ago(job.updated_at, now)}</Cell>
    </Box>
  );
}

function Cell({ children, faint = false }: { children: React.ReactNode; faint?: boolean }) {
  return (
    <Box sx={{ color: faint ? "text.tertiary" : "text.secondary", overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}>
      {children}
    </Box>
  );
}
