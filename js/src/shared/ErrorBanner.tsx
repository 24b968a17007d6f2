import { Alert, Button } from "@mui/material";
import React from "react";
import { type Problem } from "./answer";
import { ProblemText } from "./ProblemText";

export function ErrorBanner({ problem, onRetry }: { problem: Problem; onRetry: () => void }) {
  return (
    <Alert
      severity="error"
      variant="outlined"
      data-cy="relabel-error"
      sx={{ alignItems: "center" }}
      action={
        <Button size="small" color="inherit" onClick={onRetry} data-cy="relabel-retry">
          Retry
        </Button>
      }
    >
      <ProblemText problem={problem} />
    </Alert>
  );
}
