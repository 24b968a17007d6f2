import { Box, Typography } from "@mui/material";
import React from "react";
import { gainText, intervalText, scoreText, summarize, TONE_COLOR, toneOf } from "./derive";
import { type Evaluation } from "./types";

/** The score, and what all rounds together did to it. */
export function Headline({ evaluation }: { evaluation: Evaluation }) {
  const summary = summarize(evaluation);
  const figure = { fontSize: 26, lineHeight: 1.2, fontVariantNumeric: "tabular-nums" };
  if (!summary) {
    return (
      <Box data-cy="relabel-headline">
        <Caption>mAP</Caption>
        <Typography sx={figure}>{scoreText(evaluation.map)}</Typography>
      </Box>
    );
  }
  const interval = intervalText(summary);
  return (
    <Box data-cy="relabel-headline">
      <Caption>mAP · {summary.text}</Caption>
      <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "baseline", columnGap: 1.5 }}>
        <Typography sx={figure}>
          <Box component="span" sx={{ color: "text.secondary" }}>
            {scoreText(summary.before)} →{" "}
          </Box>
          {scoreText(summary.after)}
        </Typography>
        <Typography sx={{ fontSize: 16, fontVariantNumeric: "tabular-nums", color: TONE_COLOR[toneOf(summary, true)] }}>
          {gainText(summary)}
        </Typography>
        {interval && <Caption>95 %: {interval}</Caption>}
      </Box>
      {summary.remark && <Caption>{summary.remark}</Caption>}
    </Box>
  );
}

const Caption = ({ children }: { children: React.ReactNode }) => (
  <Typography variant="caption" color="text.secondary" component="div">
    {children}
  </Typography>
);
