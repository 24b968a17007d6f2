import { Alert, Button } from "@mui/material";
import React from "react";
import { yardstickText } from "./derive";
import { type Evaluation } from "./types";

/** Says where the labels that were fixed are those that the score is measured on. */
export function YardstickWarning({ evaluation, onShow }: { evaluation: Evaluation; onShow: () => void }) {
  const text = yardstickText(evaluation);
  if (!text) return null;
  return (
    <Alert
      severity="warning"
      variant="outlined"
      data-cy="relabel-yardstick"
      sx={{ alignItems: "center", py: 0.25 }}
      action={
        <Button size="small" color="inherit" onClick={onShow} data-cy="relabel-yardstick-show">
          Show
        </Button>
      }
    >
      <b>The yardstick changed.</b> {text}
    </Alert>
  );
}
