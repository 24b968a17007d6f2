/** What the panel shows while there is no round to show. */
import { Button, Typography } from "@mui/material";
import React from "react";
import { Centered } from "../shared/Centered";
import { type Evaluation } from "./types";
import { type Actions } from "./useImprovement";

export function NothingEvaluated({ others, actions }: { others: string[]; actions: Actions }) {
  return (
    <Centered cy="relabel-empty">
      <Typography variant="h6">Nothing measured yet</Typography>
      <Typography color="text.secondary">
        Evaluate predictions against labels once. From then on the score is measured again, by itself, whenever a round
        brings back labels that it is made of.
      </Typography>
      <Button variant="contained" onClick={actions.evaluate} sx={{ mt: 2 }} data-cy="relabel-evaluate">
        Evaluate detections
      </Button>
      {others.length > 0 && (
        <Typography variant="body2" color="text.secondary" sx={{ mt: 2 }}>
          {others.join(", ")} {others.length > 1 ? "are" : "is"} not of Relabel, and not measured again.
        </Typography>
      )}
    </Centered>
  );
}

export function NoRoundYet({ evaluation, actions }: { evaluation: Evaluation; actions: Actions }) {
  return (
    <Centered cy="relabel-no-round">
      <Typography variant="h6">No round has changed its labels yet</Typography>
      <Typography color="text.secondary">
        Find the labels that are probably wrong, send them to CVAT, pull what annotators mend: {evaluation.key} is then
        measured again by itself, and what it gained is shown here.
      </Typography>
      <Button variant="contained" onClick={actions.findErrors} sx={{ mt: 2, mr: 1 }} data-cy="relabel-find-errors">
        Find label errors
      </Button>
      <Button variant="outlined" color="inherit" onClick={actions.send} sx={{ mt: 2 }} data-cy="relabel-send">
        Send to CVAT
      </Button>
    </Centered>
  );
}
