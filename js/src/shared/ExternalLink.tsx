import { Link } from "@mui/material";
import React from "react";
import { OpenIcon } from "./icons";

/** Opens CVAT in a new tab: the App's headers block frames of other origins. */
export function ExternalLink({ href, children }: { href: string; children: React.ReactNode }) {
  return (
    <Link
      href={href}
      target="_blank"
      rel="noopener noreferrer"
      underline="hover"
      color="text.secondary"
      sx={{ display: "inline-flex", alignItems: "center", gap: 0.5, whiteSpace: "nowrap" }}
    >
      {children}
      <OpenIcon sx={{ fontSize: 13 }} />
    </Link>
  );
}
