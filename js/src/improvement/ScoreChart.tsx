import { Box, Tooltip, Typography } from "@mui/material";
import React from "react";
import { useWidth } from "../shared/useWidth";
import { type Chart, HEIGHT, layOut, type Point } from "./chart";
import { behindText, gainText, intervalText, roundsOf, scoreText } from "./derive";
import { type Entry } from "./types";

const CAP = 4;

interface ScoreChartProps {
  entries: Entry[];
  onShow: (number: number) => void;
}

/** The score round after round, with the interval of each change; a click shows the samples behind it. */
export function ScoreChart({ entries, onShow }: ScoreChartProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  return (
    <Box ref={ref} data-cy="relabel-chart">
      <Box sx={{ height: HEIGHT }}>{width > 0 && <Drawing chart={layOut(entries, width)} width={width} onShow={onShow} />}</Box>
      <Legend entries={entries} />
    </Box>
  );
}

function Drawing({ chart, width, onShow }: { chart: Chart; width: number; onShow: (number: number) => void }) {
  return (
    <svg width={width} height={HEIGHT} style={{ display: "block" }} role="img" aria-label="mAP, round after round">
      <Box component="g" sx={{ color: "divider" }}>
        {chart.ticks.map(({ y, text }) => (
          <line key={text} x1={chart.left} x2={chart.right} y1={y} y2={y} stroke="currentColor" />
        ))}
      </Box>
      <Box component="g" sx={{ color: "text.secondary", fontSize: 11, fontVariantNumeric: "tabular-nums" }}>
        {chart.ticks.map(({ y, text }) => (
          <text key={text} x={chart.left - 8} y={y} dy="0.35em" textAnchor="end" fill="currentColor">
            {text}
          </text>
        ))}
        {chart.points.map(({ x, label }) => (
          <text key={x} x={x} y={HEIGHT - 8} textAnchor="middle" fill="currentColor">
            {label}
          </text>
        ))}
      </Box>
      <Box component="g" sx={{ color: "primary.main" }}>
        {chart.lines.map(({ from, to }) => (
          <line key={to.x} x1={from.x} y1={from.y} x2={to.x} y2={to.y} stroke="currentColor" strokeWidth={2} strokeDasharray={isUndo(to) ? "4 4" : undefined} />
        ))}
        {chart.points.map((point) => (
          <Bar key={point.x} point={point} />
        ))}
      </Box>
      {chart.points.map((point) => (
        <Mark key={point.x} point={point} chart={chart} onShow={onShow} />
      ))}
    </svg>
  );
}

const isUndo = ({ entry }: Point): boolean => entry?.cause === "undo";

function Bar({ point: { x, bar } }: { point: Point }) {
  if (!bar) return null;
  const { top, bottom } = bar;
  return (
    <path
      d={`M${x - CAP} ${top}h${2 * CAP}M${x} ${top}V${bottom}M${x - CAP} ${bottom}h${2 * CAP}`}
      stroke="currentColor"
      strokeOpacity={0.55}
      strokeWidth={1.5}
      fill="none"
    />
  );
}

function Mark({ point, chart, onShow }: { point: Point; chart: Chart; onShow: (number: number) => void }) {
  const { x, y, entry } = point;
  const dot = (
    <Box component="circle" cx={x} cy={y} r={4.5} sx={{ color: "primary.main", fill: isUndo(point) || !entry ? "var(--dot-back)" : "currentColor" }} stroke="currentColor" strokeWidth={2} />
  );
  if (!entry) return <Background>{dot}</Background>;
  const show = () => onShow(entry.number);
  return (
    <Tooltip placement="top" title={<PointText entry={entry} />}>
      <Box
        component="g"
        role="button"
        tabIndex={0}
        aria-label={`${entry.round}: mAP ${scoreText(entry.after)}`}
        data-cy={`relabel-point-${entry.number}`}
        onClick={show}
        onKeyDown={(event: React.KeyboardEvent) => {
          if (event.key === "Enter") show();
        }}
        sx={{ cursor: "pointer", outline: "none", "& .area": { opacity: 0 }, "&:hover .area, &:focus-visible .area": { opacity: 1 } }}
      >
        <Box component="rect" className="area" x={x - chart.slot / 2} y={0} width={chart.slot} height={chart.bottom} rx={4} sx={{ color: "action.hover", fill: "currentColor" }} />
        {entry.mended > 0 && <Box component="circle" cx={x} cy={y} r={8.5} fill="none" stroke="currentColor" strokeWidth={1.5} sx={{ color: "warning.main" }} />}
        <Background>{dot}</Background>
      </Box>
    </Tooltip>
  );
}

/** Gives hollow points the colour of what is behind them. */
const Background = ({ children }: { children: React.ReactNode }) => (
  <Box component="g" sx={{ "--dot-back": (theme) => theme.palette.background.paper }}>
    {children}
  </Box>
);

function PointText({ entry }: { entry: Entry }) {
  const interval = intervalText(entry);
  return (
    <>
      <b>{entry.cause === "undo" ? `${entry.round}, undone` : roundsOf(entry).join(", ")}</b>
      <div>
        mAP {scoreText(entry.before)} → {scoreText(entry.after)}, {gainText(entry)}
      </div>
      {interval && <div>95 %: {interval}</div>}
      <div>{behindText(entry.changed, "whose labels changed")}</div>
    </>
  );
}

function Legend({ entries }: { entries: Entry[] }) {
  return (
    <Typography variant="caption" color="text.secondary" component="div">
      Bars: 95 % interval of each change.
      {entries.some((entry) => entry.mended > 0) && " Ring: yardstick changed."}
      {entries.some((entry) => entry.cause === "undo") && " Hollow: pull undone."}
    </Typography>
  );
}
