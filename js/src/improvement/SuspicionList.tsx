import { Box, ButtonBase, Tooltip, Typography } from "@mui/material";
import React from "react";
import { type Suspicions, type Verdict, VERDICTS } from "./types";

const HEADS: Record<Verdict, string> = { fixed: "label mended", model_wrong: "model wrong", left: "left" };

interface SuspicionListProps {
  suspicions: Suspicions[];
  onShow: (verdict: Verdict, type: string | null) => void;
}

/** What became of the suspicions about labels in a round, type by type. */
export function SuspicionList({ suspicions, onShow }: SuspicionListProps) {
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
        {[...Object.values(HEADS), "precision"].map((head) => (
          <Typography key={head} variant="caption" color="text.secondary">
            {head}
          </Typography>
        ))}
        {shown.map((one) => (
          <Line key={one.type} suspicions={one} onShow={onShow} />
        ))}
      </Box>
    </Box>
  );
}

function Line({ suspicions, onShow }: { suspicions: Suspicions; onShow: SuspicionListProps["onShow"] }) {
  const { type, precision } = suspicions;
  return (
    <>
      <Box sx={{ textAlign: "left", overflow: "hidden", textOverflow: "ellipsis" }}>{type ?? "all"}</Box>
      {VERDICTS.map((verdict) => (
        <Tooltip key={verdict} placement="top" title={suspicions[verdict] ? `Show the samples: ${HEADS[verdict]}` : ""}>
          <span>
            <ButtonBase
              disabled={!suspicions[verdict]}
              onClick={() => onShow(verdict, type)}
              data-cy={`relabel-${verdict}-${type ?? "all"}`}
              sx={{ font: "inherit", fontVariantNumeric: "inherit", borderRadius: 0.5, px: 0.5, mx: -0.5, "&:hover, &:focus-visible": { bgcolor: "action.hover" } }}
            >
              {suspicions[verdict].toLocaleString("en")}
            </ButtonBase>
          </span>
        </Tooltip>
      ))}
      <span>{precision === null ? "–" : `${Math.round(100 * precision)} %`}</span>
    </>
  );
}
