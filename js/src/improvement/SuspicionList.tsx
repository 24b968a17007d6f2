import { Box, Typography } from "@mui/material";
import React from "react";
import { type Suspicions } from "./types";

const HEADS = ["label mended", "model wrong", "left", "precision"];

/** What became of the suspicions about labels in a round, type by type. */
export function SuspicionList({ suspicions }: { suspicions: Suspicions[] }) {
  const byType = suspicions.filter((one) => one.type !== null);
  if (!byType.length) return null;
  const shown = byType.length > 1 ? suspicions : byType;
  return (
    <Box sx={{ mt: 1, pl: 4 }} data-cy="relabel-suspicions">
      <Typography variant="caption" color="text.secondary">
        What became of suspicions about labels
      </Typography>
      <Box sx={{ display: "grid", gridTemplateColumns: "minmax(56px, 1fr) repeat(4, auto)", columnGap: 1.5, rowGap: 0.25, textAlign: "right", whiteSpace: "nowrap" }}>
        <span />
        {HEADS.map((head) => (
          <Typography key={head} variant="caption" color="text.secondary" noWrap>
            {head}
          </Typography>
        ))}
        {shown.map((one) => (
          <Line key={one.type} suspicions={one} />
        ))}
      </Box>
    </Box>
  );
}

function Line({ suspicions: { type, fixed, model_wrong, left, precision } }: { suspicions: Suspicions }) {
  return (
    <>
      <Box sx={{ textAlign: "left", overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}>{type ?? "all"}</Box>
      {[fixed, model_wrong, left].map((count, index) => (
        <span key={index}>{count.toLocaleString("en")}</span>
      ))}
      <span>{precision === null ? "–" : `${Math.round(100 * precision)} %`}</span>
    </>
  );
}
