import { Box, Tooltip } from "@mui/material";
import React from "react";
import { plural } from "../shared/text";
import { segments } from "./derive";
import { type ByState, type JobState } from "./types";

export const STATE_COLOR: Record<JobState, string> = {
  completed: "success.main",
  "in progress": "info.main",
  rejected: "error.main",
  new: "text.disabled",
};

/** How far a round is: one piece for each state its images are in. */
export function ProgressBar({ byState, images }: { byState: ByState; images: number }) {
  return (
    <Box
      data-cy="relabel-progress"
      sx={{ display: "flex", gap: "1px", height: 6, borderRadius: 3, overflow: "hidden", bgcolor: "action.selected" }}
    >
      {segments(byState, images).map(({ state, images: count, percent }) => (
        <Tooltip key={state} title={`${plural(count, "image")} ${state}`}>
          <Box data-state={state} sx={{ width: `${percent}%`, bgcolor: STATE_COLOR[state], transition: "width .4s" }} />
        </Tooltip>
      ))}
    </Box>
  );
}
