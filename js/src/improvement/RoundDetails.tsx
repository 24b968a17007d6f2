import { Box, Skeleton, Typography } from "@mui/material";
import React from "react";
import { type Answer } from "../shared/answer";
import { MoreButton } from "../shared/MoreButton";
import { ProblemText } from "../shared/ProblemText";
import { plural } from "../shared/text";
import { useShown } from "../shared/useShown";
import { Columns, Right } from "./Columns";
import { behindText, scoreText } from "./derive";
import { Gain } from "./Gain";
import { SuspicionList } from "./SuspicionList";
import { type Behind, type Details, type Entry, type Figure } from "./types";

const FIGURES_SHOWN = 10;

interface RoundDetailsProps {
  entry: Entry;
  answer: Answer<Details> | undefined;
  onShow: (part: Omit<Behind, "number">) => void;
}

/** What a round did class by class and error by error, what changed most first. */
export function RoundDetails({ entry, answer, onShow }: RoundDetailsProps) {
  return (
    <Box data-cy={`relabel-details-${entry.number}`} sx={{ pb: 1.5 }}>
      {!answer && <Skeleton variant="rounded" height={80} />}
      {answer && !answer.ok && (
        <Typography variant="body2" color="error.main">
          <ProblemText problem={answer.problem} />
        </Typography>
      )}
      {answer?.ok && (
        <>
          <Figures title="Average precision by class" noun="class" figures={answer.value.classes} what={(name) => `where labels of ${name} changed`} digits={3} moreIsBetter onShow={(name) => onShow({ kind: "class", name })} />
          <Figures title="Errors of the model" noun="error" figures={answer.value.errors.filter(isThere)} what={() => "where their number changed"} digits={0} moreIsBetter={false} onShow={(name) => onShow({ kind: "error", name })} />
          <SuspicionList suspicions={answer.value.suspicions} onShow={(verdict, type) => onShow({ kind: "suspicion", verdict, name: type ?? "" })} />
        </>
      )}
    </Box>
  );
}

/** Types of error that the model does not make, and did not make, are not shown. */
const isThere = ({ before, after }: Figure): boolean => Boolean(before || after);

interface FiguresProps {
  title: string;
  noun: "class" | "error";
  figures: Figure[];
  /** What the samples behind a change have in common. */
  what: (name: string) => string;
  digits: number;
  moreIsBetter: boolean;
  onShow: (name: string) => void;
}

function Figures({ title, noun, figures, what, digits, moreIsBetter, onShow }: FiguresProps) {
  const [shown, showMore] = useShown(FIGURES_SHOWN);
  const text = digits ? scoreText : (count: number | null) => (count ?? 0).toLocaleString("en");
  if (!figures.length) return null;
  return (
    <Box sx={{ mt: 1 }}>
      <Typography variant="caption" color="text.secondary" sx={{ pl: 4 }}>
        {title}
      </Typography>
      {figures.slice(0, shown).map((figure) => (
        <Box key={figure.name} data-cy={`relabel-${noun}-${figure.name}`}>
          <Columns>
            <span />
            <Box sx={{ minWidth: 0 }}>
              <Typography noWrap fontSize={13} title={figure.name}>
                {figure.name}
              </Typography>
              <Typography noWrap variant="caption" color="text.secondary" className="instead-of-wide">
                {text(figure.before)} → {text(figure.after)}
              </Typography>
            </Box>
            <Right room="wide">
              <Box component="span" sx={{ color: "text.secondary" }}>
                {text(figure.before)} →{" "}
              </Box>
              {text(figure.after)}
            </Right>
            <Gain change={figure} moreIsBetter={moreIsBetter} digits={digits} changed={figure.changed} hint={behindText(figure.changed, what(figure.name))} cy={`relabel-gain-${noun}-${figure.name}`} onShow={() => onShow(figure.name)} />
            <Right room="medium" span={2}>
              <Box component="span" sx={{ color: "text.secondary" }}>
                {figure.changed > 0 && plural(figure.changed, "image")}
              </Box>
            </Right>
          </Columns>
        </Box>
      ))}
      <MoreButton shown={shown} all={figures.length} noun="figure" onMore={showMore} />
    </Box>
  );
}
