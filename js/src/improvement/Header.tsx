import { Box, CircularProgress, IconButton, NativeSelect, Tooltip, Typography } from "@mui/material";
import React from "react";
import { RefreshIcon, SaveIcon } from "../shared/icons";
import { plural } from "../shared/text";
import { type Evaluation } from "./types";
import { type Actions } from "./useImprovement";

interface HeaderProps {
  evaluations: Evaluation[];
  evaluation: Evaluation;
  refreshing: boolean;
  actions: Actions;
}

/** Which evaluation is shown, what it measures, and what can be done with it. */
export function Header({ evaluations, evaluation, refreshing, actions }: HeaderProps) {
  const { key, predictions, ground_truth, samples } = evaluation;
  const what = `${predictions} against ${ground_truth}, ${plural(samples, "image")}`;
  return (
    <Box sx={{ display: "flex", alignItems: "center", gap: 1, minHeight: 32 }}>
      {evaluations.length > 1 ? (
        <NativeSelect
          disableUnderline
          value={key}
          onChange={({ target }) => actions.choose(target.value)}
          inputProps={{ ["data-cy" as string]: "relabel-evaluation", "aria-label": "Evaluation" }}
          sx={{ fontWeight: 500, maxWidth: "50%" }}
        >
          {evaluations.map((each) => (
            <option key={each.key} value={each.key}>
              {each.key}
            </option>
          ))}
        </NativeSelect>
      ) : (
        <Typography fontWeight={500} noWrap sx={{ maxWidth: "50%" }}>
          {key}
        </Typography>
      )}
      <Typography variant="caption" color="text.secondary" noWrap title={what} sx={{ flex: 1, minWidth: 0 }}>
        {what}
      </Typography>
      {evaluation.entries.length > 0 && (
        <Tooltip title="Save as CSV">
          <IconButton size="small" onClick={actions.save} data-cy="relabel-save" aria-label="Save as CSV">
            <SaveIcon sx={{ fontSize: 18 }} />
          </IconButton>
        </Tooltip>
      )}
      <Tooltip title="Refresh">
        <IconButton size="small" onClick={actions.refresh} data-cy="relabel-refresh" aria-label="Refresh">
          {refreshing ? <CircularProgress size={18} color="inherit" /> : <RefreshIcon sx={{ fontSize: 18 }} />}
        </IconButton>
      </Tooltip>
    </Box>
  );
}
