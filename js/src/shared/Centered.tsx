import { Box } from "@mui/material";
import React from "react";

/** What a panel shows in place of its content. */
export function Centered({ cy, children }: { cy: string; children: React.ReactNode }) {
  return (
    <Box data-cy={cy} sx={{ maxWidth: 440, mx: "auto", mt: 6, textAlign: "center" }}>
      {children}
    </Box>
  );
}
