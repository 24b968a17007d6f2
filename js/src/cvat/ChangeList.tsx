import { Box, Checkbox, Typography } from "@mui/material";
import React from "react";
import { MoreButton } from "../shared/MoreButton";
import { plural } from "../shared/text";
import { useShown } from "../shared/useShown";
import { changeTone, changeWords, fileName } from "./derive";
import { Thumbnail, TONE_COLOR } from "./Thumbnail";
import { type ChangedSample, type LabelChange, type Preview } from "./types";
import { type Actions } from "./useCvatStatus";

const SAMPLES_SHOWN = 20;
const CHANGES_SHOWN = 20;

interface ChangeListProps {
  preview: Preview;
  leftOut: string[];
  disabled: boolean;
  actions: Actions;
}

/** Every change with a box to leave it out, image by image. */
export function ChangeList({ preview, leftOut, disabled, actions }: ChangeListProps) {
  const [shown, showMore] = useShown(SAMPLES_SHOWN);
  if (!preview.samples.length) return null;
  return (
    <Box data-cy="relabel-changes" sx={{ mt: 2, maxHeight: 380, overflow: "auto", borderTop: 1, borderColor: "divider" }}>
      {preview.samples.slice(0, shown).map((sample) => (
        <SampleRow key={`${sample.id}/${sample.frame_number}`} sample={sample} leftOut={leftOut} disabled={disabled} actions={actions} />
      ))}
      <MoreButton shown={shown} all={preview.samples.length} noun="sample" onMore={showMore} />
      {shown >= preview.samples.length && preview.more_samples > 0 && (
        <Typography variant="body2" color="text.secondary" sx={{ py: 1 }}>
          and {plural(preview.more_samples, "more sample")}, which are merged as well. Narrow the review to see them.
        </Typography>
      )}
    </Box>
  );
}

interface SampleRowProps extends Omit<ChangeListProps, "preview"> {
  sample: ChangedSample;
}

function SampleRow({ sample, leftOut, disabled, actions }: SampleRowProps) {
  const shownReferences = sample.changes.map((change) => change.reference);
  // What is not told of can be left out with its image only; of a video it is one of many frames.
  const isWhole = sample.more_changes > 0 && sample.frame_number === null;
  const references = isWhole ? [...shownReferences, sample.id] : shownReferences;
  const [shown, showMore] = useShown(CHANGES_SHOWN);
  const taken = references.filter((reference) => !leftOut.includes(reference));
  return (
    <Box
      data-cy={`relabel-sample-${sample.id}`}
      sx={{ display: "flex", gap: 1.5, py: 1, borderBottom: 1, borderColor: "divider", opacity: taken.length ? 1 : 0.55 }}
    >
      <Thumbnail sample={sample} leftOut={leftOut} onClick={() => actions.showSamples({ sample_ids: [sample.id] })} />
      <Box sx={{ minWidth: 0, flex: 1 }}>
        <Box sx={{ display: "flex", alignItems: "center" }}>
          <Tick
            name={`All of ${fileName(sample.filepath)}`}
            checked={taken.length === references.length}
            indeterminate={taken.length > 0 && taken.length < references.length}
            disabled={disabled}
            onChange={(take) => actions.leaveOut(references, !take)}
          />
          <Typography variant="body2" fontWeight={500} noWrap title={sample.filepath}>
            {fileName(sample.filepath)}
          </Typography>
          <Typography variant="caption" color="text.tertiary" noWrap sx={{ ml: "auto", pl: 1 }}>
            job {sample.job}, {sample.assignee ?? "nobody"}
          </Typography>
        </Box>
        {sample.changes.slice(0, shown).map((change) => (
          <ChangeRow
            key={change.reference}
            change={change}
            taken={!leftOut.includes(change.reference)}
            disabled={disabled}
            onTake={(take) => actions.leaveOut(take && isWhole ? [change.reference, sample.id] : [change.reference], !take)}
          />
        ))}
        <MoreButton shown={shown} all={sample.changes.length} noun="change" onMore={showMore} />
        {shown >= sample.changes.length && sample.more_changes > 0 && (
          <Typography variant="body2" color="text.secondary" sx={{ py: 0.5, pl: 2 }}>
            and {plural(sample.more_changes, "more change")},{" "}
            {leftOut.includes(sample.id) ? "left out as well" : "merged as well"}
          </Typography>
        )}
      </Box>
    </Box>
  );
}

interface ChangeRowProps {
  change: LabelChange;
  taken: boolean;
  disabled: boolean;
  onTake: (take: boolean) => void;
}

function ChangeRow({ change, taken, disabled, onTake }: ChangeRowProps) {
  const { what, detail } = changeWords(change);
  return (
    <Box component="label" sx={{ display: "flex", alignItems: "center", pl: 2, cursor: "pointer", opacity: taken ? 1 : 0.55 }}>
      <Tick name={`${what} ${detail}`} checked={taken} disabled={disabled} onChange={onTake} />
      <Box sx={{ width: 8, height: 8, borderRadius: 4, flexShrink: 0, mr: 1, bgcolor: TONE_COLOR[changeTone(change)] }} />
      <Typography variant="body2" noWrap>
        {what}
        <Typography component="span" variant="body2" color="text.secondary" sx={{ ml: 1 }}>
          {detail}
        </Typography>
      </Typography>
    </Box>
  );
}

interface TickProps {
  name: string;
  checked: boolean;
  indeterminate?: boolean;
  disabled: boolean;
  onChange: (checked: boolean) => void;
}

function Tick({ name, onChange, ...state }: TickProps) {
  return (
    <Checkbox
      {...state}
      size="small"
      inputProps={{ "aria-label": name }}
      onChange={(event) => onChange(event.target.checked)}
      sx={{ p: 0.375, mr: 0.5, "& svg": { fontSize: 17 } }}
    />
  );
}
