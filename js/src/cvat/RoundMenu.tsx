import { IconButton, ListItemIcon, Menu, MenuItem } from "@mui/material";
import React, { useState } from "react";
import { CheckIcon, CloseIcon, ImagesIcon, MoreIcon, OpenIcon, SendIcon, UndoIcon } from "../shared/icons";
import { canDiscard, canResume } from "./derive";
import { type Round } from "./types";
import { type Actions } from "./useCvatStatus";

interface RoundMenuProps {
  round: Round;
  url: string | null;
  actions: Actions;
}

export function RoundMenu({ round, url, actions }: RoundMenuProps) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const close = () => setAnchor(null);
  const choose = (action: () => void) => () => {
    close();
    action();
  };
  return (
    <>
      <IconButton
        size="small"
        aria-label={`More for ${round.key}`}
        data-cy="relabel-more"
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        <MoreIcon sx={{ fontSize: 18 }} />
      </IconButton>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={close} MenuListProps={{ dense: true }}>
        <MenuItem onClick={choose(() => actions.showSamples({ key: round.key }))} data-cy="relabel-show">
          <ListItemIcon>
            <ImagesIcon fontSize="small" />
          </ListItemIcon>
          Show its samples
        </MenuItem>
        <MenuItem component="a" href={url ?? ""} target="_blank" rel="noopener noreferrer" disabled={!url} onClick={close}>
          <ListItemIcon>
            <OpenIcon fontSize="small" />
          </ListItemIcon>
          Open in CVAT
        </MenuItem>
        {round.state === "out" && (
          <MenuItem onClick={choose(() => actions.sendToReview(round.key))} data-cy="relabel-to-review">
            <ListItemIcon>
              <CheckIcon fontSize="small" />
            </ListItemIcon>
            Send completed jobs to review
          </MenuItem>
        )}
        {canResume(round) && (
          <MenuItem onClick={choose(() => actions.resume(round.key))} data-cy="relabel-resume">
            <ListItemIcon>
              <SendIcon fontSize="small" />
            </ListItemIcon>
            Go on sending
          </MenuItem>
        )}
        {canDiscard(round) && (
          <MenuItem onClick={choose(() => actions.discard(round.key))} data-cy="relabel-discard">
            <ListItemIcon>
              <CloseIcon fontSize="small" />
            </ListItemIcon>
            Give it up
          </MenuItem>
        )}
        <MenuItem
          disabled={!round.can_undo}
          onClick={choose(() => actions.undo(round.key))}
          data-cy="relabel-undo"
        >
          <ListItemIcon>
            <UndoIcon fontSize="small" />
          </ListItemIcon>
          Undo last pull
        </MenuItem>
      </Menu>
    </>
  );
}
