import { Alert, Box, Button, Link, Typography } from "@mui/material";
import React from "react";
import { ago } from "../shared/text";
import { useNow } from "../shared/useNow";
import { endedLately, executorText, underWayText } from "./derive";
import { type EndedOperation, type Snapshot } from "./types";
import { type Actions } from "./useCvatStatus";

interface OperationsLineProps {
  snapshot: Snapshot;
  actions: Actions;
}

/** What executors do for this dataset, and what they have done lately. */
export function OperationsLine({ snapshot: { executors, operations }, actions }: OperationsLineProps) {
  const now = useNow(1000);
  const ended = endedLately(operations, now);
  return (
    <Box sx={{ pt: 0.5 }}>
      {ended && <Ended operation={ended} now={now} actions={actions} />}
      <Typography variant="caption" color="text.secondary" data-cy="relabel-executors">
        {[executorText(executors), underWayText(operations)].filter(Boolean).join(" · ")}
        {" · "}
        <Link component="button" variant="caption" color="inherit" onClick={actions.showOperations} data-cy="relabel-operations-link">
          Operations
        </Link>
      </Typography>
    </Box>
  );
}

function Ended({ operation, now, actions }: { operation: EndedOperation; now: number; actions: Actions }) {
  const { id, label, stage, ended_at } = operation;
  const isDone = stage === "completed";
  return (
    <Alert
      severity={isDone ? "success" : "error"}
      variant="outlined"
      data-cy="relabel-ended"
      sx={{ mb: 1, py: 0, alignItems: "center" }}
      action={
        <Button size="small" color="inherit" onClick={() => (isDone ? actions.showResult(id) : actions.showOperations())}>
          {isDone ? "Show result" : "Show why"}
        </Button>
      }
    >
      {label} {isDone ? "is done" : "failed"}, {ago(ended_at, now)}
    </Alert>
  );
}
