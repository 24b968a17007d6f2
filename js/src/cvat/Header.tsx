import { Box, Button, CircularProgress, IconButton, Tooltip, Typography } from "@mui/material";
import React from "react";
import { RefreshIcon, SendIcon } from "../shared/icons";
import { ago } from "../shared/text";
import { useNow } from "../shared/useNow";
import { host } from "./derive";
import { type Connection } from "./types";

interface HeaderProps {
  connection: Connection;
  updatedAt: string;
  refreshing: boolean;
  onRefresh: () => void;
  /** Left out where something else on the panel offers it. */
  onSend: (() => void) | null;
}

const DOT = { connected: "success.main", error: "error.main", unconfigured: "text.disabled" };

function connectionText({ state, url, user }: Connection): React.ReactNode {
  if (state === "unconfigured") return "not set up";
  if (state === "error") return url ? <>not connected to <b>{host(url)}</b></> : "not connected";
  return (
    <>
      connected to <b>{host(url)}</b>
      {user && <> as {user}</>}
    </>
  );
}

export function Header({ connection, updatedAt, refreshing, onRefresh, onSend }: HeaderProps) {
  const now = useNow(1000);
  return (
    <Box data-cy="relabel-header" sx={{ display: "flex", alignItems: "center", gap: 1, minHeight: 32 }}>
      <Box sx={{ width: 8, height: 8, borderRadius: 4, bgcolor: DOT[connection.state], flexShrink: 0 }} />
      <Typography noWrap color="text.secondary" sx={{ "& b": { color: "text.primary", fontWeight: 500 } }}>
        {connectionText(connection)}
      </Typography>
      <Box sx={{ flex: 1 }} />
      {connection.state !== "unconfigured" && (
        <Typography variant="caption" color="text.secondary" noWrap sx={{ flexShrink: 0 }}>
          updated {ago(updatedAt, now)}
        </Typography>
      )}
      {onSend && (
        <Tooltip title="Send samples to CVAT">
          <Button
            size="small"
            color="inherit"
            variant="outlined"
            onClick={onSend}
            startIcon={<SendIcon sx={{ width: 14 }} />}
            data-cy="relabel-send"
            sx={{ flexShrink: 0 }}
          >
            Send
          </Button>
        </Tooltip>
      )}
      <Tooltip title="Refresh">
        <IconButton size="small" onClick={onRefresh} data-cy="relabel-refresh" aria-label="Refresh">
          {refreshing ? <CircularProgress size={18} color="inherit" /> : <RefreshIcon sx={{ fontSize: 18 }} />}
        </IconButton>
      </Tooltip>
    </Box>
  );
}
