import { Box, ButtonBase, Tooltip, Typography } from "@mui/material";
import React from "react";
import { gainText, intervalText, scoreText, summarize, TONE_COLOR, toneOf } from "./derive";
import { type Evaluation } from "./types";

interface HeadlineProps {
  evaluation: Evaluation;
  onShow: () => void;
}

/** The score, and what all rounds together did to it; a click shows the samples behind that. */
export function Headline({ evaluation, onShow }: HeadlineProps) {
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
        <Tooltip title="Show the samples whose labels changed, of all rounds" placement="top">
          <ButtonBase
            onClick={onShow}
            data-cy="relabel-gain-all"
            sx={{ font: "inherit", fontSize: 16, borderRadius: 0.5, px: 0.5, mx: -0.5, fontVariantNumeric: "tabular-nums", color: TONE_COLOR[toneOf(summary, true)], "&:hover, &:focus-visible": { bgcolor: "action.hover" } }}
          >
            {gainText(summary)}
          </ButtonBase>
        </Tooltip>
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
