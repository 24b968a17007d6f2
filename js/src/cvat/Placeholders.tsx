/** What the panel shows while it has no rounds to show. */
import { Box, Button, Skeleton, Typography } from "@mui/material";
import React from "react";
import { Centered } from "../shared/Centered";
import { SendIcon } from "../shared/icons";
import { type Term, TermList } from "../shared/TermList";
import { type Connection } from "./types";

export function LoadingRounds() {
  return (
    <Box data-cy="relabel-loading">
      <Skeleton width="55%" height={28} />
      {[0, 1].map((index) => (
        <Skeleton key={index} variant="rounded" height={76} sx={{ mt: 1 }} />
      ))}
    </Box>
  );
}

export function NoRounds({ onSend }: { onSend: () => void }) {
  return (
    <Centered cy="relabel-empty">
      <Typography variant="h6">Nothing out yet</Typography>
      <Typography color="text.secondary">Select samples in the grid and press Send to CVAT.</Typography>
      <Button
        variant="contained"
        onClick={onSend}
        startIcon={<SendIcon sx={{ fontSize: 16 }} />}
        sx={{ mt: 2 }}
        data-cy="relabel-send"
      >
        Send to CVAT
      </Button>
    </Centered>
  );
}

const SETTINGS: Term[] = [
  ["FIFTYONE_CVAT_URL", "the address of the server, e.g. https://app.cvat.ai"],
  ["FIFTYONE_CVAT_TOKEN", "an access token of your account there"],
  ["FIFTYONE_CVAT_USERNAME, FIFTYONE_CVAT_PASSWORD", "instead of a token"],
  ["FIFTYONE_CVAT_ORGANIZATION", "if you work in one"],
];

export function NotSetUp({ connection, onRetry }: { connection: Connection; onRetry: () => void }) {
  return (
    <Centered cy="relabel-unconfigured">
      <Typography variant="h6">Connect CVAT</Typography>
      <Typography color="text.secondary">
        {connection.message ?? "Relabel does not know your CVAT server yet."} Set these in the environment of the App's
        server, then start it again:
      </Typography>
      <TermList terms={SETTINGS} />
      <Button color="inherit" variant="outlined" onClick={onRetry} sx={{ mt: 2 }} data-cy="relabel-retry">
        Look again
      </Button>
    </Centered>
  );
}
