import { Box, Paper, Tooltip, Typography } from "@mui/material";
import React from "react";
import { duration } from "../shared/text";
import { devicesText, executorState, noGpuText, targetsText, versionsText } from "./derive";
import { type Executor } from "./types";

const dotColor = ({ alive, operation }: Executor): string =>
  !alive ? "error.main" : operation ? "info.main" : "success.main";

/** Who runs operations: where, on what, and whether it is there. */
export function ExecutorList({ executors }: { executors: Executor[] }) {
  return (
    <Box data-cy="relabel-executors">
      <Typography variant="caption" color="text.secondary" component="div" sx={{ mb: 0.5 }}>
        Executors
      </Typography>
      {executors.map((executor) => (
        <ExecutorCard key={executor.id} executor={executor} />
      ))}
    </Box>
  );
}

function ExecutorCard({ executor }: { executor: Executor }) {
  const { host, pid, alive, silent_seconds } = executor;
  const noGpu = noGpuText(executor);
  return (
    <Paper
      data-cy={`relabel-executor-${executor.id}`}
      elevation={0}
      sx={{ bgcolor: "background.level3", backgroundImage: "none", borderRadius: 1, px: 1.5, py: 0.75, mb: 0.75 }}
    >
      <Box sx={{ display: "flex", alignItems: "center", gap: 1 }}>
        <Box sx={{ width: 8, height: 8, borderRadius: 4, bgcolor: dotColor(executor), flexShrink: 0 }} />
        <Typography noWrap fontWeight={500} title={executor.id}>
          {targetsText(executor)}
        </Typography>
        <Typography noWrap color="text.secondary">
          {host} · process {pid}
        </Typography>
        <Box sx={{ flex: 1 }} />
        <Tooltip title={`Last heard of ${duration(silent_seconds)} ago`}>
          <Typography variant="caption" color={alive ? "text.secondary" : "error.main"} noWrap sx={{ flexShrink: 0 }}>
            {executorState(executor)}
          </Typography>
        </Tooltip>
      </Box>
      <Typography variant="caption" color="text.secondary" component="div" sx={{ pl: 2 }}>
        {devicesText(executor)}
      </Typography>
      {noGpu && (
        <Typography variant="caption" color="text.secondary" component="div" sx={{ pl: 2 }} data-cy="relabel-no-gpu">
          {noGpu}
        </Typography>
      )}
      <Typography variant="caption" color="text.disabled" component="div" noWrap title={versionsText(executor)} sx={{ pl: 2 }}>
        {versionsText(executor)}
      </Typography>
    </Paper>
  );
}
