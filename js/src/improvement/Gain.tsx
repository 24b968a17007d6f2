import { Box, ButtonBase, Tooltip } from "@mui/material";
import React from "react";
import { gainText, intervalText, TONE_COLOR, toneOf } from "./derive";
import { type Change } from "./types";

interface GainProps {
  change: Change;
  moreIsBetter: boolean;
  digits: number;
  /** How many samples are behind it; without any it cannot be pressed. */
  changed: number;
  hint: string;
  cy: string;
  onShow: () => void;
}

/** A change with its interval; a click shows the samples behind it. */
export function Gain({ change, moreIsBetter, digits, changed, hint, cy, onShow }: GainProps) {
  const interval = intervalText(change, digits);
  return (
    <Tooltip title={hint} placement="top">
      <Box component="span" sx={{ textAlign: "right", justifySelf: "end" }}>
        <ButtonBase
          onClick={onShow}
          disabled={!changed}
          data-cy={cy}
          sx={{ display: "block", textAlign: "right", borderRadius: 0.5, px: 0.5, mx: -0.5, font: "inherit", fontVariantNumeric: "inherit", "&:hover, &:focus-visible": { bgcolor: "action.hover" } }}
        >
          <Box component="span" sx={{ display: "block", color: TONE_COLOR[toneOf(change, moreIsBetter, digits)], fontWeight: 500 }}>
            {gainText(change, digits)}
          </Box>
          {interval && (
            <Box component="span" sx={{ display: "block", fontSize: 11, color: "text.secondary", whiteSpace: "nowrap" }}>
              {interval}
            </Box>
          )}
        </ButtonBase>
      </Box>
    </Tooltip>
  );
}
