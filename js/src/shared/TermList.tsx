/** What to type, and what it means. */
import { Box } from "@mui/material";
import React from "react";

export type Term = [typed: string, meaning: string];

export function TermList({ terms }: { terms: Term[] }) {
  return (
    <Box component="dl" sx={{ textAlign: "left", m: 0, mt: 2, fontSize: 13 }}>
      {terms.map(([typed, meaning]) => (
        <Box key={typed} sx={{ py: 0.75, borderTop: 1, borderColor: "divider" }}>
          <Box component="dt" sx={{ fontFamily: "monospace", color: "text.primary" }}>
            {typed}
          </Box>
          <Box component="dd" sx={{ m: 0, color: "text.secondary" }}>
            {meaning}
          </Box>
        </Box>
      ))}
    </Box>
  );
}
