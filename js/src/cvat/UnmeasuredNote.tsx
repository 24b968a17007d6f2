import { Box, Button, CircularProgress, Typography } from "@mui/material";
import React, { useState } from "react";
import { type Problem } from "../shared/answer";
import { ProblemText } from "../shared/ProblemText";

interface UnmeasuredNoteProps {
  unmeasured: Problem[];
  onTry: () => Promise<void>;
}

/** Says what could not be evaluated again after a pull of a round, and why. */
export function UnmeasuredNote({ unmeasured, onTry }: UnmeasuredNoteProps) {
  const [isTrying, setTrying] = useState(false);
  if (!unmeasured.length) return null;
  const tryAgain = async () => {
    setTrying(true);
    await onTry();
    setTrying(false);
  };
  return (
    <Box data-cy="relabel-unmeasured" sx={{ display: "flex", alignItems: "center", gap: 1 }}>
      <Typography component="div" variant="caption" color="warning.main" sx={{ flex: 1, minWidth: 0 }}>
        {unmeasured.map((problem) => (
          <div key={problem.message}>
            <ProblemText problem={problem} />
          </div>
        ))}
      </Typography>
      <Button size="small" color="inherit" onClick={tryAgain} disabled={isTrying} startIcon={isTrying ? <CircularProgress size={14} color="inherit" /> : undefined} data-cy="relabel-try-again" sx={{ whiteSpace: "nowrap" }}>
        Try again
      </Button>
    </Box>
  );
}
