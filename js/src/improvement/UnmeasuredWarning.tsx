import { Alert, Box, Button, CircularProgress } from "@mui/material";
import React from "react";
import { ProblemText } from "../shared/ProblemText";
import { type Unmeasured } from "./types";

interface UnmeasuredWarningProps {
  unmeasured: Unmeasured[];
  isTrying: boolean;
  onTry: () => void;
  onEvaluate: () => void;
}

/** Says which scores are not there yet after a round, and why. */
export function UnmeasuredWarning({ unmeasured, isTrying, onTry, onEvaluate }: UnmeasuredWarningProps) {
  if (!unmeasured.length) return null;
  return (
    <Alert severity="warning" variant="outlined" data-cy="relabel-unmeasured" sx={{ py: 0.25 }}>
      {unmeasured.map((one) => (
        <div key={`${one.eval_key}/${one.rounds.join()}`}>
          <ProblemText problem={one} />
        </div>
      ))}
      <Box sx={{ display: "flex", gap: 1, mt: 0.5, ml: -0.5 }}>
        <Button size="small" color="inherit" onClick={onTry} disabled={isTrying} startIcon={isTrying ? <CircularProgress size={14} color="inherit" /> : undefined} data-cy="relabel-try-again">
          Try again
        </Button>
        <Button size="small" color="inherit" onClick={onEvaluate}>
          Evaluate anew
        </Button>
      </Box>
    </Alert>
  );
}
