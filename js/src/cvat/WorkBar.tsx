import { Box, Button, LinearProgress, Typography } from "@mui/material";
import React from "react";
import { type Work } from "./useWork";

/** How far something is that takes a while, and what ends it. */
export function WorkBar({ work, onCancel }: { work: Work; onCancel?: () => void }) {
  const known = work.share !== undefined;
  return (
    <Box data-cy="relabel-work" sx={{ mt: 1.5 }}>
      <LinearProgress variant={known ? "determinate" : "indeterminate"} value={known ? 100 * (work.share ?? 0) : undefined} />
      <Box sx={{ display: "flex", alignItems: "center", justifyContent: "space-between", gap: 1, minHeight: 30 }}>
        <Typography variant="caption" color="text.secondary" noWrap role="status">
          {work.cancelling ? "Ends with the step that it is at" : (work.label ?? "")}
        </Typography>
        {onCancel && (
          <Button size="small" color="inherit" disabled={work.cancelling} onClick={onCancel} data-cy="relabel-work-cancel">
            Cancel
          </Button>
        )}
      </Box>
    </Box>
  );
}
