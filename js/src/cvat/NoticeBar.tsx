import { Alert, Button } from "@mui/material";
import React from "react";
import { UndoIcon } from "../shared/icons";
import { ProblemText } from "../shared/ProblemText";
import { type Notice } from "./state";
import { type Actions } from "./useCvatStatus";

/** What the last pull or undo did. */
export function NoticeBar({ notice, actions }: { notice: Notice; actions: Actions }) {
  const { undoKey } = notice;
  return (
    <Alert
      severity={notice.severity}
      variant="outlined"
      onClose={undoKey ? undefined : actions.dismissNotice}
      data-cy="relabel-notice"
      sx={{ alignItems: "center" }}
      action={
        undoKey ? (
          <>
            <Button
              size="small"
              color="inherit"
              startIcon={<UndoIcon sx={{ fontSize: 16 }} />}
              onClick={() => actions.undo(undoKey)}
              data-cy="relabel-notice-undo"
            >
              Undo
            </Button>
            <Button size="small" color="inherit" onClick={actions.dismissNotice}>
              Close
            </Button>
          </>
        ) : undefined
      }
    >
      <ProblemText problem={{ message: notice.text, advice: notice.advice }} />
    </Alert>
  );
}
