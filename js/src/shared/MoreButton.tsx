import { Button } from "@mui/material";
import React from "react";
import { plural } from "./text";

interface MoreButtonProps {
  shown: number;
  all: number;
  noun: string;
  onMore: () => void;
}

/** The end of a list of which only the beginning is drawn; nothing where all is. */
export function MoreButton({ shown, all, noun, onMore }: MoreButtonProps) {
  if (shown >= all) return null;
  return (
    <Button size="small" color="inherit" onClick={onMore} data-cy="relabel-show-more" sx={{ color: "text.secondary" }}>
      Show more: {plural(all - shown, `other ${noun}`)}
    </Button>
  );
}
