import { getSampleSrc } from "@fiftyone/state";
import { Box } from "@mui/material";
import React from "react";
import { changeTone, type ChangeTone, outlineCentre } from "./derive";
import { type ChangedSample, type Outline } from "./types";

export const TONE_COLOR: Record<ChangeTone, string> = {
  added: "#4caf50",
  removed: "#ef5350",
  changed: "#ffa726",
  conflict: "#ffeb3b",
};
const WIDTH = 148;
const MOST_HEIGHT = 150;
const MOST_DRAWN = 300;

interface ThumbnailProps {
  sample: ChangedSample;
  leftOut: string[];
  onClick: () => void;
}

/** The image with every change drawn over it: as it is here dashed, as it is in CVAT solid. */
export function Thumbnail({ sample, leftOut, onClick }: ThumbnailProps) {
  const { width, height } = sample;
  return (
    <Box
      component="button"
      onClick={onClick}
      title="Show this sample in the grid"
      sx={{ p: 0, border: 0, bgcolor: "#000", cursor: "pointer", flexShrink: 0, alignSelf: "flex-start", lineHeight: 0, borderRadius: 0.5, overflow: "hidden" }}
    >
      <svg viewBox={`0 0 ${width} ${height}`} style={{ width: WIDTH, height: Math.min((WIDTH * height) / width, MOST_HEIGHT) }}>
        <image href={getSampleSrc(sample.filepath)} width={width} height={height} preserveAspectRatio="none" />
        {sample.changes.slice(0, MOST_DRAWN).map((change) => {
          const color = TONE_COLOR[changeTone(change)];
          return (
            <g key={change.reference} opacity={leftOut.includes(change.reference) ? 0.25 : 1}>
              <Drawing outline={change.before} color={color} isDashed />
              <Drawing outline={change.after} color={color} isDashed={false} />
            </g>
          );
        })}
      </svg>
    </Box>
  );
}

function Drawing({ outline, color, isDashed }: { outline: Outline | null; color: string; isDashed: boolean }) {
  if (!outline) return null;
  const [x, y] = outlineCentre(outline);
  const line = { fill: "none", vectorEffect: "non-scaling-stroke", strokeLinejoin: "round" } as const;
  return (
    <g transform={outline.rotation ? `rotate(${outline.rotation} ${x} ${y})` : undefined}>
      {outline.parts.map((part, index) => {
        const Shape = outline.closed ? "polygon" : "polyline";
        return (
          <React.Fragment key={index}>
            <Shape {...line} points={part.join(" ")} stroke="rgba(0, 0, 0, .6)" strokeWidth={3.5} />
            <Shape {...line} points={part.join(" ")} stroke={color} strokeWidth={1.75} strokeDasharray={isDashed ? "4 3" : undefined} />
          </React.Fragment>
        );
      })}
    </g>
  );
}
