import { Alert, Box, Button, ButtonBase, CircularProgress, Paper, Skeleton, ToggleButton, ToggleButtonGroup, Tooltip, Typography } from "@mui/material";
import React from "react";
import { ProblemText } from "../shared/ProblemText";
import { plural } from "../shared/text";
import { ChangeList } from "./ChangeList";
import { changesToWrite, figures, POLICY_TEXT, reviewTitle, type Figure } from "./derive";
import { ReviewFilters } from "./ReviewFilters";
import { type Review } from "./state";
import { type Job, POLICIES, type Policy, type Preview } from "./types";
import { type Actions } from "./useCvatStatus";
import { type Work } from "./useWork";
import { WorkBar } from "./WorkBar";

interface PullDialogProps {
  review: Review;
  jobs: Job[];
  work: Work | null;
  actions: Actions;
}

/** Covers the panel only, so that the grid beside it can show the samples behind a figure. */
export function PullDialog({ review, jobs, work, actions }: PullDialogProps) {
  const { preview, problem, phase, policy, choice, leftOut } = review;
  const merging = phase === "merging";
  return (
    <Box sx={{ position: "absolute", inset: 0, zIndex: 10, bgcolor: "rgba(0, 0, 0, .55)", p: 2, overflow: "auto" }}>
      <Paper
        role="dialog"
        aria-label={reviewTitle(review.key, choice)}
        data-cy="relabel-review"
        onKeyDown={(event) => {
          if (event.key !== "Escape" || merging) return;
          event.stopPropagation(); // the App would clear the selection in the grid
          actions.closeReview();
        }}
        elevation={8}
        sx={{ maxWidth: 640, mx: "auto", mt: 4, p: 2.5, bgcolor: "background.level2", backgroundImage: "none", border: 1, borderColor: "divider" }}
      >
        <Typography variant="h6" noWrap sx={{ mb: 0.5 }}>
          {reviewTitle(review.key, choice)}
        </Typography>
        <ReviewFilters
          jobs={jobs}
          choice={choice}
          disabled={phase !== "ready"}
          onChoose={(narrowed) => actions.review(review.key, narrowed)}
        />
        {phase === "loading" && <Comparing />}
        {preview && <Changes preview={preview} onShow={(ids) => actions.showSamples({ sample_ids: ids })} />}
        {preview?.counts.conflict && (
          <ConflictChoice count={preview.counts.conflict} policy={policy} onChoose={actions.choosePolicy} />
        )}
        {preview && <ChangeList preview={preview} leftOut={leftOut} disabled={merging} actions={actions} />}
        {preview?.problems.map((text) => (
          <Alert key={text} severity="warning" data-cy="relabel-remark" sx={{ mt: 1.5 }}>
            {text}
          </Alert>
        ))}
        {problem && (
          <Alert severity="error" sx={{ mt: 1.5 }}>
            <ProblemText problem={problem} />
          </Alert>
        )}
        {work && <WorkBar work={work} />}
        <Box sx={{ display: "flex", justifyContent: "flex-end", gap: 1, mt: 2.5 }}>
          <Button
            autoFocus
            color="inherit"
            onClick={merging ? actions.cancel : actions.closeReview}
            disabled={merging && (!work || work.cancelling)}
            data-cy="relabel-cancel"
          >
            Cancel
          </Button>
          <Button
            variant="contained"
            onClick={actions.merge}
            disabled={!preview || merging || isNothingLeft(review)}
            startIcon={merging ? <CircularProgress size={14} color="inherit" /> : undefined}
            data-cy="relabel-merge"
          >
            {mergeText(review)}
          </Button>
        </Box>
      </Paper>
    </Box>
  );
}

function mergeText(review: Review): string {
  const { preview, policy, phase, leftOut } = review;
  if (phase === "merging") return "Merging";
  if (!preview || isNothingLeft(review)) return "Merge";
  const changes = changesToWrite(preview, policy, leftOut);
  return changes ? `Merge ${plural(changes, "change")}` : "Mark as pulled";
}

/** Whether no job has anything new, or everything is left out. */
function isNothingLeft({ preview, policy, leftOut }: Review): boolean {
  if (!preview) return false;
  return preview.jobs.length === 0 || (leftOut.length > 0 && changesToWrite(preview, policy, leftOut) === 0);
}

function Comparing() {
  return (
    <>
      <Typography color="text.secondary">Comparing CVAT with what was sent…</Typography>
      <Box sx={{ display: "flex", gap: 1, mt: 2 }}>
        {[0, 1, 2].map((index) => (
          <Skeleton key={index} variant="rounded" width={76} height={64} />
        ))}
      </Box>
    </>
  );
}

function Changes({ preview, onShow }: { preview: Preview; onShow: (ids: string[]) => void }) {
  const found = figures(preview);
  return (
    <>
      <Typography color="text.secondary">
        {found.length
          ? `What ${plural(preview.jobs.length, "job")} would change here. Click a figure to see its samples.`
          : `Nothing was changed in ${plural(preview.jobs.length, "job")}.`}
      </Typography>
      <Box sx={{ display: "flex", flexWrap: "wrap", gap: 1, mt: 2 }}>
        {found.map((figure) => (
          <FigureTile key={figure.kind} figure={figure} onClick={() => onShow(figure.sampleIds)} />
        ))}
      </Box>
      <Typography variant="body2" color="text.secondary" sx={{ mt: 1.5 }}>
        {plural(preview.unchanged, "label")} came back as sent and {preview.unchanged === 1 ? "is" : "are"} not touched.
        A merge can be undone.
      </Typography>
    </>
  );
}

interface ConflictChoiceProps {
  count: number;
  policy: Policy;
  onChoose: (policy: Policy) => void;
}

function ConflictChoice({ count, policy, onChoose }: ConflictChoiceProps) {
  return (
    <Box sx={{ mt: 2 }}>
      <Typography variant="body2" color="warning.main">
        {plural(count, "label was", "labels were")} changed both here and in CVAT.
      </Typography>
      <ToggleButtonGroup
        exclusive
        size="small"
        value={policy}
        onChange={(_, chosen: Policy | null) => chosen && onChoose(chosen)}
        sx={{ my: 1 }}
      >
        {POLICIES.map((name) => (
          <ToggleButton key={name} value={name} data-cy={`relabel-policy-${name}`} sx={{ textTransform: "none", py: 0.25 }}>
            {POLICY_TEXT[name].label}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
      <Typography variant="body2" color="text.secondary">
        {POLICY_TEXT[policy].hint}
      </Typography>
    </Box>
  );
}

function FigureTile({ figure, onClick }: { figure: Figure; onClick: () => void }) {
  const isConflict = figure.kind === "conflict";
  return (
    <Tooltip placement="top" title={figure.title}>
      <ButtonBase
        onClick={onClick}
        data-cy={`relabel-figure-${figure.kind}`}
        sx={{
          display: "block",
          textAlign: "left",
          minWidth: 76,
          px: 1.25,
          py: 1,
          borderRadius: 1,
          border: 1,
          borderColor: isConflict ? "warning.main" : "divider",
          bgcolor: "background.level3",
          "&:hover": { borderColor: isConflict ? "warning.main" : "primary.main" },
        }}
      >
        <Typography sx={{ fontSize: 22, lineHeight: 1.2, color: isConflict ? "warning.main" : "text.primary" }}>
          {figure.count.toLocaleString("en")}
        </Typography>
        <Typography variant="body2" color="text.secondary">
          {figure.text}
        </Typography>
      </ButtonBase>
    </Tooltip>
  );
}
