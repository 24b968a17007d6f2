import { Box, Button, CircularProgress, Collapse, IconButton, LinearProgress, Paper, Typography } from "@mui/material";
import React from "react";
import { ChevronIcon } from "../shared/icons";
import { canCancel, canRepeat, percent, stageText, standstill } from "./derive";
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
          <Typography noWrap fontWeight={500} title={operation.operator}>
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
        <Typography variant="caption" color="text.secondary" component="div" noWrap>
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
      {stage === "completed" && <SmallButton cy="relabel-reload" text="Reload dataset" onClick={actions.reload} />}
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
      <LinearProgress
        variant={isRunning && done === null ? "indeterminate" : "determinate"}
        value={done ?? 0}
        color="info"
        sx={{ height: 6, borderRadius: 3, bgcolor: "action.selected" }}
      />
      <Box sx={{ display: "flex", justifyContent: "space-between", gap: 2, mt: 0.5 }}>
        <Typography variant="caption" noWrap data-cy="relabel-doing" title={operation.doing}>
          {operation.doing}
        </Typography>
        {isRunning && done !== null && (
          <Typography variant="caption" color="text.secondary" noWrap>
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

function Details({ operation: { log_tail, error } }: { operation: Operation }) {
  return (
    <Box sx={{ pl: 4.5, pr: 1, pb: 0.5 }} data-cy="relabel-log">
      <Block title="Log" text={log_tail || "It has printed nothing."} />
      {error && <Block title="Error" text={error} />}
    </Box>
  );
}

function Block({ title, text }: { title: string; text: string }) {
  return (
    <>
      <Typography variant="caption" color="text.secondary">
        {title}
      </Typography>
      <Box
        component="pre"
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
