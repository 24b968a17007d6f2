import { Box, Button, CircularProgress, IconButton, NativeSelect, Popover, Typography } from "@mui/material";
import React, { useState } from "react";
import { MoreIcon } from "../shared/icons";
import { assignable } from "./derive";
import { FINISHED, type Job, JOB_STAGES, JOB_STATES, type JobChange } from "./types";
import { type Actions } from "./useCvatStatus";

interface JobMenuProps {
  job: Job;
  roundKey: string;
  people: string[] | null;
  isChanging: boolean;
  actions: Actions;
}

/** Who has a job and where it stands, to be changed in CVAT; and what else can be done with it. */
export function JobMenu({ job, roundKey, people, isChanging, actions }: JobMenuProps) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const change = (what: JobChange) => actions.changeJob(roundKey, job.id, what);
  const leave = (action: () => void) => () => {
    setAnchor(null);
    action();
  };
  return (
    <>
      <IconButton
        size="small"
        aria-label={`More for job ${job.id}`}
        aria-haspopup="dialog"
        data-cy={`relabel-job-more-${job.id}`}
        onClick={(event) => {
          setAnchor(event.currentTarget);
          if (!people) actions.askPeople();
        }}
        sx={{ p: 0.25 }}
      >
        {isChanging ? <CircularProgress size={14} color="inherit" /> : <MoreIcon sx={{ fontSize: 16 }} />}
      </IconButton>
      <Popover
        open={anchor !== null}
        anchorEl={anchor}
        onClose={() => setAnchor(null)}
        anchorOrigin={{ vertical: "bottom", horizontal: "right" }}
        transformOrigin={{ vertical: "top", horizontal: "right" }}
      >
        <Box role="dialog" aria-label={`Job ${job.id}`} data-cy="relabel-job-menu" sx={{ p: 1.5, minWidth: 220 }}>
          <Choice
            name="assignee"
            value={job.assignee ?? ""}
            options={["", ...assignable(people, job)]}
            disabled={isChanging}
            onChoose={(assignee) => change({ assignee })}
          />
          <Choice name="stage" value={job.stage} options={JOB_STAGES} disabled={isChanging} onChoose={(stage) => change({ stage })} />
          <Choice name="state" value={job.state} options={JOB_STATES} disabled={isChanging} onChoose={(state) => change({ state })} />
          <Box sx={{ display: "flex", gap: 1, borderTop: 1, borderColor: "divider", mt: 1, pt: 1 }}>
            <Button
              size="small"
              color="inherit"
              variant="outlined"
              onClick={leave(() => actions.showSamples({ key: roundKey, job: job.id }))}
              data-cy="relabel-job-show"
            >
              Show samples
            </Button>
            {job.type === "annotation" && !job.pulled && (
              <Button
                size="small"
                color="inherit"
                variant="outlined"
                onClick={leave(() => actions.review(roundKey, { ...FINISHED, states: [], jobs: [job.id] }))}
                data-cy="relabel-job-review"
              >
                Review changes
              </Button>
            )}
          </Box>
        </Box>
      </Popover>
    </>
  );
}

interface ChoiceProps<T extends string> {
  name: string;
  value: string;
  options: readonly T[];
  disabled: boolean;
  onChoose: (value: T) => void;
}

function Choice<T extends string>({ name, value, options, disabled, onChoose }: ChoiceProps<T>) {
  return (
    <Box component="label" sx={{ display: "flex", alignItems: "center", justifyContent: "space-between", gap: 2, py: 0.25 }}>
      <Typography variant="body2" color="text.secondary">
        {name}
      </Typography>
      <NativeSelect
        disableUnderline
        disabled={disabled}
        value={value}
        onChange={({ target }) => onChoose(target.value as T)}
        inputProps={{ ["data-cy" as string]: `relabel-job-${name}`, "aria-label": name }}
        sx={{ fontSize: 13 }}
      >
        {options.map((option) => (
          <option key={option} value={option}>
            {option || "nobody"}
          </option>
        ))}
      </NativeSelect>
    </Box>
  );
}
