import { Box, Tooltip } from "@mui/material";
import React from "react";
import { ExternalLink } from "../shared/ExternalLink";
import { CheckIcon } from "../shared/icons";
import { MoreButton } from "../shared/MoreButton";
import { ago, plural } from "../shared/text";
import { useNow } from "../shared/useNow";
import { useShown } from "../shared/useShown";
import { stageText } from "./derive";
import { JobMenu } from "./JobMenu";
import { STATE_COLOR } from "./ProgressBar";
import { type Job, type Round, type Task } from "./types";
import { type Actions } from "./useCvatStatus";

// Where there is little room the stage is left out first, then the size and the age of a job.
const MEDIUM = "@container (max-width: 520px)";
const NARROW = "@container (max-width: 430px)";
const COLUMNS = "64px minmax(48px, 1fr) minmax(80px, 1.2fr) minmax(96px, auto) 72px 84px 24px";
const MEDIUM_COLUMNS = "64px minmax(48px, 1fr) minmax(96px, auto) 76px 78px 24px";
const NARROW_COLUMNS = "auto minmax(48px, 1fr) auto 24px";
const TASKS_SHOWN = 20;
const JOBS_SHOWN = 50;

interface TaskListProps {
  round: Round;
  changing: number[];
  people: string[] | null;
  actions: Actions;
}

export function TaskList({ round, ...shared }: TaskListProps) {
  const now = useNow(30_000);
  const [shown, showMore] = useShown(TASKS_SHOWN);
  return (
    <Box sx={{ pl: 4.5, pr: 1, pb: 0.5 }}>
      <Box sx={{ containerType: "inline-size", fontSize: 13, color: "text.secondary" }}>
        {round.tasks.slice(0, shown).map((task) => (
          <TaskBlock key={task.id} task={task} roundKey={round.key} now={now} {...shared} />
        ))}
        <MoreButton shown={shown} all={round.tasks.length} noun="task" onMore={showMore} />
      </Box>
    </Box>
  );
}

interface TaskBlockProps extends Omit<TaskListProps, "round"> {
  task: Task;
  roundKey: string;
  now: number;
}

function TaskBlock({ task, ...shared }: TaskBlockProps) {
  const [shown, showMore] = useShown(JOBS_SHOWN);
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
      {task.jobs.slice(0, shown).map((job) => (
        <JobRow key={job.id} job={job} {...shared} />
      ))}
      <MoreButton shown={shown} all={task.jobs.length} noun="job" onMore={showMore} />
    </Box>
  );
}

interface JobRowProps extends Omit<TaskBlockProps, "task"> {
  job: Job;
}

function JobRow({ job, roundKey, changing, people, actions, now }: JobRowProps) {
  return (
    <Box
      data-cy={`relabel-job-${job.id}`}
      sx={{
        display: "grid",
        gridTemplateColumns: COLUMNS,
        columnGap: 1,
        alignItems: "center",
        py: 0.25,
        [MEDIUM]: { gridTemplateColumns: MEDIUM_COLUMNS, "& .wide": { display: "none" } },
        [NARROW]: { gridTemplateColumns: NARROW_COLUMNS, "& .medium": { display: "none" } },
      }}
    >
      <ExternalLink href={job.url}>job {job.id}</ExternalLink>
      <Cell faint={!job.assignee}>{job.assignee ?? "nobody"}</Cell>
      <Cell room="wide">{stageText(job)}</Cell>
      <JobState job={job} />
      <Cell room="medium">{plural(job.images, "image")}</Cell>
      <Cell faint room="medium">{ago(job.updated_at, now)}</Cell>
      <JobMenu job={job} roundKey={roundKey} people={people} isChanging={changing.includes(job.id)} actions={actions} />
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
  /** What it needs not to be left out. */
  room?: "wide" | "medium";
}

function Cell({ children, faint = false, room }: CellProps) {
  return (
    <Box
      className={room}
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
