/** Material icons as paths: the App shares no icon package, and its icon font comes from afar. */
import { SvgIcon, type SvgIconProps } from "@mui/material";
import React from "react";

const icon = (path: string) => (props: SvgIconProps) => (
  <SvgIcon {...props}>
    <path d={path} />
  </SvgIcon>
);

export const RefreshIcon = icon(
  "M17.65 6.35A7.96 7.96 0 0 0 12 4a8 8 0 1 0 7.73 10h-2.08A6 6 0 1 1 12 6c1.66 0 3.14.69 4.22 1.78L13 11h7V4z",
);
export const ChevronIcon = icon("M10 6 8.59 7.41 13.17 12l-4.58 4.59L10 18l6-6z");
export const MoreIcon = icon(
  "M12 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4m0 2a2 2 0 1 0 0 4 2 2 0 0 0 0-4m0 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4",
);
export const OpenIcon = icon(
  "M19 19H5V5h7V3H5a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h14c1.1 0 2-.9 2-2v-7h-2zM14 3v2h3.59l-9.83 9.83 1.41 1.41L19 6.41V10h2V3z",
);
export const UndoIcon = icon(
  "M12.5 8c-2.65 0-5.05.99-6.9 2.6L2 7v9h9l-3.62-3.62A8 8 0 0 1 20.1 16l2.37-.78A10.5 10.5 0 0 0 12.5 8",
);
export const ImagesIcon = icon(
  "M4 11h7V4H4zm0 9h7v-7H4zm9 0h7v-7h-7zm0-16v7h7V4z",
);
export const CheckIcon = icon("M9 16.17 4.83 12l-1.42 1.41L9 19 21 7l-1.41-1.41z");
export const SendIcon = icon("M2.01 21 23 12 2.01 3 2 10l15 2-15 2z");
export const CloseIcon = icon(
  "M19 6.41 17.59 5 12 10.59 6.41 5 5 6.41 10.59 12 5 17.59 6.41 19 12 13.41 17.59 19 19 17.59 13.41 12z",
);
export const SaveIcon = icon("M19 9h-4V3H9v6H5l7 7zM5 18v2h14v-2z");
export const WarningIcon = icon("M1 21h22L12 2zm12-3h-2v-2h2zm0-4h-2v-4h2z");
