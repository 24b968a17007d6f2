/** What the panel shows while there is nothing to show. */
import { Typography } from "@mui/material";
import React from "react";
import { Centered } from "../shared/Centered";
import { type Term, TermList } from "../shared/TermList";

export function NoOperations() {
  return (
    <Centered cy="relabel-empty">
      <Typography variant="h6">Nothing to do</Typography>
      <Typography color="text.secondary">
        Press ` and choose Apply model, Compute similarity or another operator; its form asks where to run.
      </Typography>
    </Centered>
  );
}

const COMMANDS: Term[] = [
  ["make executor TARGET=gpu", "in the plugin's folder, on this machine or on one with a GPU"],
  ["FIFTYONE_DATABASE_URI=mongodb://...", "in its environment: the database of this App"],
];

export function NoExecutor() {
  return (
    <Centered cy="relabel-no-executor">
      <Typography variant="h6">No executor is running</Typography>
      <Typography color="text.secondary">
        Operations run at once, in the App's server, and it waits for them. An executor takes them off it, on this or on
        another machine:
      </Typography>
      <TermList terms={COMMANDS} />
    </Centered>
  );
}
