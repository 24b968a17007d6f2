import { Box, CircularProgress, IconButton, Tooltip, Typography } from "@mui/material";
import React from "react";
import { RefreshIcon } from "../shared/icons";
import { ago } from "../shared/text";
import { useNow } from "../shared/useNow";
import { headline } from "./derive";
import { type Snapshot } from "./types";

interface HeaderProps {
  snapshot: Snapshot;
  refreshing: boolean;
  onRefresh: () => void;
}

export function Header({ snapshot, refreshing, onRefresh }: HeaderProps) {
  const now = useNow(1000);
  const isServed = snapshot.executors.some((executor) => executor.alive);
  return (
    <Box data-cy="relabel-header" sx={{ display: "flex", alignItems: "center", gap: 1, minHeight: 32 }}>
      <Box sx={{ width: 8, height: 8, borderRadius: 4, bgcolor: isServed ? "success.main" : "text.disabled", flexShrink: 0 }} />
      <Typography noWrap color="text.secondary">
        {headline(snapshot)}
      </Typography>
      <Box sx={{ flex: 1 }} />
      <Typography variant="caption" color="text.secondary" noWrap sx={{ flexShrink: 0 }}>
        updated {ago(snapshot.updated_at, now)}
      </Typography>
      <Tooltip title="Refresh">
        <IconButton size="small" onClick={onRefresh} data-cy="relabel-refresh" aria-label="Refresh">
          {refreshing ? <CircularProgress size={18} color="inherit" /> : <RefreshIcon sx={{ fontSize: 18 }} />}
        </IconButton>
      </Tooltip>
    </Box>
  );
}
