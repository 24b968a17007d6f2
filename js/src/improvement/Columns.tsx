import { Box } from "@mui/material";
import React from "react";

// Where there is little room the scores move under the name first, then the costs do.
const MEDIUM = "@container (max-width: 520px)";
const NARROW = "@container (max-width: 400px)";
const COLUMNS = "24px minmax(64px, 1fr) 104px 124px 52px 56px";
const MEDIUM_COLUMNS = "24px minmax(64px, 1fr) 124px 52px 56px";
const NARROW_COLUMNS = "24px minmax(64px, 1fr) 124px";

/** A line of the table: a mark, a name, the scores, the change, and two costs. */
export function Columns({ isHead = false, children }: { isHead?: boolean; children: React.ReactNode }) {
  return (
    <Box
      sx={{
        display: "grid",
        gridTemplateColumns: COLUMNS,
        columnGap: 1,
        alignItems: "center",
        py: 0.5,
        ...(isHead && { color: "text.secondary", fontSize: 12 }),
        "& .instead-of-wide, & .instead-of-medium": { display: "none" },
        [MEDIUM]: {
          gridTemplateColumns: MEDIUM_COLUMNS,
          "& .wide": { display: "none" },
          "& .instead-of-wide": { display: "inline" },
        },
        [NARROW]: {
          gridTemplateColumns: NARROW_COLUMNS,
          "& .medium": { display: "none" },
          "& .instead-of-medium": { display: "inline" },
        },
      }}
    >
      {children}
    </Box>
  );
}

interface RightProps {
  /** What the table needs not to leave it out. */
  room?: "wide" | "medium";
  /** How many columns it takes. */
  span?: number;
  title?: string;
  children: React.ReactNode;
}

/** A figure, or what stands over figures. */
export const Right = ({ room, span = 1, title, children }: RightProps) => (
  <Box className={room} title={title} sx={{ textAlign: "right", whiteSpace: "nowrap", gridColumn: `span ${span}` }}>
    {children}
  </Box>
);
