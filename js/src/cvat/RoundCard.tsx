import { Box, Button, CircularProgress, Collapse, IconButton, Paper, Typography } from "@mui/material";
import React from "react";
import { CheckIcon, ChevronIcon } from "../shared/icons";
import { ProblemText } from "../shared/ProblemText";
import { plural } from "../shared/text";
import { isAllDone, isElsewhere, isLeft, roundText, roundUrl } from "./derive";
import { ProgressBar } from "./ProgressBar";
import { RoundMenu } from "./RoundMenu";
import { TaskList } from "./TaskList";
import { type Connection, type Round } from "./types";
import { UnmeasuredNote } from "./UnmeasuredNote";
import { type Actions } from "./useCvatStatus";
import { type Work } from "./useWork";
import { WorkBar } from "./WorkBar";

interface RoundCardProps {
  round: Round;
  connection: Connection;
  isOpen: boolean;
  isStale: boolean;
  isUndoing: boolean;
  work: Work | null;
  changing: number[];
  people: string[] | null;
  actions: Actions;
}

export function RoundCard({ round, connection, isOpen, isStale, isUndoing, work, changing, people, actions }: RoundCardProps) {
  const { key } = round;
  return (
    <Paper
      data-cy={`relabel-round-${key}`}
      elevation={0}
      sx={{ bgcolor: "background.level3", backgroundImage: "none", borderRadius: 1, px: 1, py: 0.75 }}
    >
      <Box sx={{ display: "flex", alignItems: "center", gap: 1, minHeight: 34 }}>
        <IconButton size="small" onClick={() => actions.toggle(key)} aria-expanded={isOpen} aria-label={`Jobs of ${key}`}>
          <ChevronIcon sx={{ fontSize: 18, transform: isOpen ? "rotate(90deg)" : "none", transition: "transform .15s" }} />
        </IconButton>
        <Box onClick={() => actions.toggle(key)} sx={{ cursor: "pointer", minWidth: 0, flex: 1 }}>
          <Typography noWrap fontWeight={500} title={key}>
            {key}
          </Typography>
        </Box>
        {isUndoing && <CircularProgress size={16} color="inherit" />}
        {!round.problem && <PullButton round={round} disabled={isStale || isUndoing} onClick={() => actions.review(key)} />}
        <RoundMenu round={round} url={roundUrl(round, connection)} actions={actions} />
      </Box>
      {isUndoing && work && <WorkBar work={work} onCancel={actions.cancel} />}
      <Box sx={{ pl: 4.5, pr: 1, pb: 0.5 }}>
        {!isLeft(round) && <ProgressBar byState={round.images_by_state} images={round.images} />}
        <Box sx={{ display: "flex", justifyContent: "space-between", gap: 2, mt: 0.5 }}>
          <Typography variant="caption" color="text.secondary" noWrap>
            {roundText(round, connection)}
          </Typography>
          {!isLeft(round) && (
            <Typography variant="caption" color="text.secondary" noWrap data-cy="relabel-done">
              {round.images_done.toLocaleString("en")} of {plural(round.images, "image")} done
            </Typography>
          )}
        </Box>
        {round.problem && (
          <Typography component="div" variant="caption" color="warning.main" data-cy="relabel-problem">
            <ProblemText problem={round.problem} />
          </Typography>
        )}
        <UnmeasuredNote unmeasured={round.unmeasured} onTry={() => actions.tryAgain(key)} />
      </Box>
      <Collapse in={isOpen && !isElsewhere(round, connection)} unmountOnExit>
        <TaskList round={round} changing={changing} people={people} actions={actions} />
      </Collapse>
    </Paper>
  );
}

function PullButton({ round, disabled, onClick }: { round: Round; disabled: boolean; onClick: () => void }) {
  if (round.unpulled_jobs > 0) {
    return (
      <Button size="small" variant="contained" disabled={disabled} onClick={onClick} data-cy="relabel-pull" sx={{ whiteSpace: "nowrap", flexShrink: 0 }}>
        Pull {plural(round.unpulled_jobs, "finished job")}
      </Button>
    );
  }
  if (!isAllDone(round)) return null;
  return (
    <Typography variant="caption" color="success.main" noWrap sx={{ display: "inline-flex", alignItems: "center", gap: 0.5 }}>
      <CheckIcon sx={{ fontSize: 16 }} /> all merged
    </Typography>
  );
}
