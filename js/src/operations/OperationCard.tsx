import { Box, Button, CircularProgress, Collapse, IconButton, LinearProgress, Paper, Typography } from "@mui/material";
import React, { useEffect, useRef } from "react";
import { ChevronIcon } from "../shared/icons";
import { canCancel, canRepeat, doingText, errorText, percent, stageText, standstill } from "./derive";
import { type Operation, type Stage } from "./types";
import { type Actions } from "./useOperations";

interface OperationCardProps {
  operation: Operation;
  now: number;
  isOpen: boolean;
  isChanging: boolean;
  actions: Actions;
}

const STAGE_COLOR: Record<Stage, string> = {
  running: "info.main",
  queued: "text.disabled",
  completed: "success.main",
  failed: "error.main",
  cancelled: "text.disabled",
};

export function OperationCard({ operation, now, isOpen, isChanging, actions }: OperationCardProps) {
  const { id, label, stage } = operation;
  return (
    <Paper
      data-cy={`relabel-operation-${id}`}
      data-stage={stage}
      elevation={0}
      sx={{ bgcolor: "background.level3", backgroundImage: "none", borderRadius: 1, px: 1, py: 0.75 }}
    >
      <Box sx={{ display: "flex", alignItems: "center", gap: 1, minHeight: 34 }}>
        <IconButton size="small" onClick={() => actions.toggle(id)} aria-expanded={isOpen} aria-label={`Log of ${label}`}>
          <ChevronIcon sx={{ fontSize: 18, transform: isOpen ? "rotate(90deg)" : "none", transition: "transform .15s" }} />
        </IconButton>
        <Box onClick={() => actions.toggle(id)} sx={{ cursor: "pointer", minWidth: 0, flex: 1 }}>
          <Typography fontWeight={500} title={operation.operator}>
            {label}
          </Typography>
        </Box>
        <Typography variant="caption" noWrap sx={{ color: STAGE_COLOR[stage] }} data-cy="relabel-stage">
          {stage === "running" && operation.writing ? "writing" : stage}
        </Typography>
        <Buttons operation={operation} isChanging={isChanging} actions={actions} />
      </Box>
      <Box sx={{ pl: 4.5, pr: 1, pb: 0.5 }}>
        {(stage === "running" || stage === "queued") && <Progress operation={operation} />}
        <Typography variant="caption" color="text.secondary" component="div">
          {stageText(operation, now)}
        </Typography>
        <Remarks operation={operation} />
      </Box>
      <Collapse in={isOpen} unmountOnExit>
        <Details operation={operation} />
      </Collapse>
    </Paper>
  );
}

function Buttons({ operation, isChanging, actions }: Omit<OperationCardProps, "now" | "isOpen">) {
  if (isChanging) return <CircularProgress size={16} color="inherit" />;
  const { id, stage } = operation;
  return (
    <>
      {canCancel(operation) && <SmallButton cy="relabel-cancel" text="Cancel" onClick={() => actions.cancel(id)} />}
      {canRepeat(operation) && <SmallButton cy="relabel-repeat" text="Run again" onClick={() => actions.repeat(id)} />}
      {stage === "completed" && <SmallButton cy="relabel-result" text="Show result" onClick={() => actions.showResult(id)} />}
    </>
  );
}

function SmallButton({ cy, text, onClick }: { cy: string; text: string; onClick: () => void }) {
  return (
    <Button
      size="small"
      color="inherit"
      variant="outlined"
      onClick={onClick}
      data-cy={cy}
      sx={{ whiteSpace: "nowrap", flexShrink: 0 }}
    >
      {text}
    </Button>
  );
}

function Progress({ operation }: { operation: Operation }) {
  const done = percent(operation);
  const isRunning = operation.stage === "running";
  return (
    <Box data-cy="relabel-progress">
      {isRunning && (
        <LinearProgress
          variant={done === null ? "indeterminate" : "determinate"}
          value={done ?? 0}
          color="info"
          sx={{ height: 6, borderRadius: 3, bgcolor: "action.selected" }}
        />
      )}
      <Box sx={{ display: "flex", justifyContent: "space-between", gap: 2, mt: isRunning ? 0.5 : 0 }}>
        <Typography variant="caption" data-cy="relabel-doing">
          {doingText(operation)}
        </Typography>
        {isRunning && done !== null && (
          <Typography variant="caption" color="text.secondary" noWrap sx={{ flexShrink: 0 }}>
            {done} %
          </Typography>
        )}
      </Box>
    </Box>
  );
}

/** What the user can do something about. */
function Remarks({ operation }: { operation: Operation }) {
  const hindrance = standstill(operation);
  return (
    <>
      {hindrance && (
        <Typography variant="caption" color="warning.main" component="div" data-cy="relabel-standstill">
          {hindrance}
        </Typography>
      )}
      {operation.cause && (
        <Typography variant="caption" color="error.main" component="div" data-cy="relabel-cause">
          {operation.cause}
        </Typography>
      )}
    </>
  );
}

function Details({ operation }: { operation: Operation }) {
  const error = errorText(operation);
  return (
    <Box sx={{ pl: 4.5, pr: 1, pb: 0.5 }} data-cy="relabel-log">
      <Asked asked={operation.asked} />
      <Block title="Log" text={operation.log_tail || "It has printed nothing."} />
      {error && <Block title="Error" text={error} />}
    </Box>
  );
}

/** What tells it from another of the same name. */
function Asked({ asked }: Pick<Operation, "asked">) {
  return (
    <Box component="dl" data-cy="relabel-asked" sx={{ display: "grid", gridTemplateColumns: "auto 1fr", columnGap: 1.5, m: 0, mb: 0.5, fontSize: 12 }}>
      {asked.map(([name, value]) => (
        <React.Fragment key={name}>
          <Box component="dt" sx={{ color: "text.secondary" }}>
            {name.replaceAll("_", " ")}
          </Box>
          <Box component="dd" sx={{ m: 0, overflowWrap: "anywhere" }}>
            {value}
          </Box>
        </React.Fragment>
      ))}
    </Box>
  );
}

const NEAR_END_PX = 24;

/** A text whose end is seen, as the newest is there, until the user looks at something before. */
function Block({ title, text }: { title: string; text: string }) {
  const box = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  const onScroll = ({ currentTarget: { scrollHeight, scrollTop, clientHeight } }: React.UIEvent) => {
    atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  };
  return (
    <>
      <Typography variant="caption" color="text.secondary">
        {title}
      </Typography>
      <Box
        component="pre"
        ref={box}
        onScroll={onScroll}
        tabIndex={0}
        sx={{
          m: 0,
          mt: 0.25,
          mb: 0.75,
          p: 1,
          maxHeight: 240,
          overflow: "auto",
          fontSize: 12,
          bgcolor: "background.level1",
          borderRadius: 1,
          whiteSpace: "pre-wrap",
          overflowWrap: "anywhere",
        }}
      >
        {text}
      </Box>
    </>
  );
}
