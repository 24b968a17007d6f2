import { Box, ButtonBase, Collapse, IconButton, Tooltip, Typography } from "@mui/material";
import React from "react";
import { type Answer } from "../shared/answer";
import { ChevronIcon, WarningIcon } from "../shared/icons";
import { MoreButton } from "../shared/MoreButton";
import { ago, plural } from "../shared/text";
import { useNow } from "../shared/useNow";
import { useShown } from "../shared/useShown";
import { Columns, Right } from "./Columns";
import { behindText, minutesText, scoreText } from "./derive";
import { Gain } from "./Gain";
import { RoundDetails } from "./RoundDetails";
import { type Details, type Entry, type Evaluation } from "./types";
import { type Actions, type Improvement } from "./useImprovement";

const ROUNDS_SHOWN = 20;

interface RoundTableProps {
  evaluation: Evaluation;
  opened: number[];
  details: Improvement["details"];
  actions: Actions;
}

/** Every round, newest first: what it did to the score and what it cost. */
export function RoundTable({ evaluation, opened, details, actions }: RoundTableProps) {
  const now = useNow(30_000);
  const [shown, showMore] = useShown(ROUNDS_SHOWN);
  const entries = [...evaluation.entries].reverse();
  return (
    <Box data-cy="relabel-rounds" sx={{ containerType: "inline-size", fontSize: 13, fontVariantNumeric: "tabular-nums" }}>
      <Columns isHead>
        <span />
        <span>Round</span>
        <Right room="wide">mAP</Right>
        <Right>Change</Right>
        <Right room="medium" title="Labels that the round changed">Labels</Right>
        <Right room="medium" title="What annotators needed, as estimated">Time</Right>
      </Columns>
      {entries.slice(0, shown).map((entry) => (
        <RoundRow key={entry.number} entry={entry} isOpen={opened.includes(entry.number)} details={details[entry.number]} now={now} actions={actions} />
      ))}
      <MoreButton shown={shown} all={entries.length} noun="round" onMore={showMore} />
      {shown >= entries.length && evaluation.more_entries > 0 && (
        <Typography variant="caption" color="text.secondary">
          and {plural(evaluation.more_entries, "older round")}, which the CSV has
        </Typography>
      )}
    </Box>
  );
}

interface RoundRowProps {
  entry: Entry;
  isOpen: boolean;
  details: Answer<Details> | undefined;
  now: number;
  actions: Actions;
}

function RoundRow({ entry, isOpen, details, now, actions }: RoundRowProps) {
  const { number, round, changed } = entry;
  const toggle = () => actions.toggle(number);
  return (
    <Box data-cy={`relabel-entry-${number}`} sx={{ borderTop: 1, borderColor: "divider" }}>
      <Columns>
        <IconButton size="small" onClick={toggle} aria-expanded={isOpen} aria-label={`Figures of ${round}`} data-cy={`relabel-open-${number}`} sx={{ p: 0.25 }}>
          <ChevronIcon sx={{ fontSize: 18, transform: isOpen ? "rotate(90deg)" : "none", transition: "transform .15s" }} />
        </IconButton>
        <Box onClick={toggle} sx={{ minWidth: 0, cursor: "pointer" }}>
          <Name entry={entry} actions={actions} />
          <Typography variant="caption" color="text.secondary" noWrap component="div">
            {ago(entry.at, now)}, {plural(changed, "image")}
            {entry.cause === "pull" && (
              <span className="instead-of-medium">
                , {plural(entry.labels, "label")}
                {entry.minutes !== null && `, ${minutesText(entry.minutes)}`}
              </span>
            )}
          </Typography>
        </Box>
        <Right room="wide">
          <Box component="span" sx={{ color: "text.secondary" }}>
            {scoreText(entry.before)} →{" "}
          </Box>
          {scoreText(entry.after)}
        </Right>
        <Gain change={entry} moreIsBetter digits={3} changed={changed} hint={behindText(changed, "whose labels changed")} cy={`relabel-gain-${number}`} onShow={() => actions.showSamples({ number })} />
        <Right room="medium">
          {entry.cause === "undo" ? (
            "–"
          ) : (
            <Tooltip title={behindText(changed, "whose labels changed")} placement="top">
              <span>
                <ButtonBase
                  disabled={!changed}
                  onClick={() => actions.showSamples({ number })}
                  data-cy={`relabel-labels-${number}`}
                  sx={{ font: "inherit", fontVariantNumeric: "inherit", verticalAlign: "baseline", borderRadius: 0.5, px: 0.5, mx: -0.5, "&:hover, &:focus-visible": { bgcolor: "action.hover" } }}
                >
                  {entry.labels.toLocaleString("en")}
                </ButtonBase>
              </span>
            </Tooltip>
          )}
        </Right>
        <Right room="medium">{minutesText(entry.minutes)}</Right>
      </Columns>
      <Collapse in={isOpen} unmountOnExit>
        <RoundDetails entry={entry} answer={details} onShow={(part) => actions.showSamples({ number, ...part })} />
      </Collapse>
    </Box>
  );
}

function Name({ entry, actions }: { entry: Entry; actions: Actions }) {
  const { number, round, caught_up, cause, mended } = entry;
  return (
    <Box sx={{ display: "flex", alignItems: "center", gap: 0.5 }}>
      <Typography noWrap fontWeight={500} fontSize={13} title={round}>
        {round}
      </Typography>
      {cause === "undo" && (
        <Typography variant="caption" color="text.secondary">
          undone
        </Typography>
      )}
      {caught_up.length > 0 && (
        <Typography noWrap variant="caption" color="text.secondary" title={`Measured together with ${caught_up.join(", ")}: it could not be evaluated after each`}>
          with {caught_up.join(", ")}
        </Typography>
      )}
      {mended > 0 && (
        <Tooltip placement="top" title={`The yardstick changed. ${behindText(mended, "whose ground truth was mended")}`}>
          <ButtonBase
            aria-label={`The yardstick changed in ${round}`}
            data-cy={`relabel-mended-${number}`}
            onClick={(event) => {
              event.stopPropagation();
              actions.showSamples({ number, kind: "mended" });
            }}
          >
            <WarningIcon sx={{ fontSize: 15, color: "warning.main" }} />
          </ButtonBase>
        </Tooltip>
      )}
    </Box>
  );
}
