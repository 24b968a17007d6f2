import { datasetName } from "@fiftyone/state";
import { Alert, Box, Skeleton, Stack } from "@mui/material";
import React from "react";
import { useRecoilValue } from "recoil";
import { ErrorBanner } from "../shared/ErrorBanner";
import { ProblemText } from "../shared/ProblemText";
import { Header } from "./Header";
import { Headline } from "./Headline";
import { NothingEvaluated, NoRoundYet } from "./Placeholders";
import { RoundTable } from "./RoundTable";
import { ScoreChart } from "./ScoreChart";
import { type Actions, type Improvement, type MethodUris, useImprovement } from "./useImprovement";
import { UnmeasuredWarning } from "./UnmeasuredWarning";
import { YardstickWarning } from "./YardstickWarning";

/** The React half of the panel; the App hands over the methods of its Python half. */
export function RelabelImprovement({ schema }: { schema: { view: MethodUris } }) {
  const dataset = useRecoilValue(datasetName) ?? null;
  return <ImprovementOf key={dataset} uris={schema.view} dataset={dataset} />;
}

function ImprovementOf({ uris, dataset }: { uris: MethodUris; dataset: string | null }) {
  const [improvement, actions] = useImprovement(uris, dataset);
  const { ledger, stale, problem } = improvement;
  return (
    <Box data-cy="relabel-improvement" sx={{ height: "100%", overflow: "auto", p: 2, boxSizing: "border-box" }}>
      <Stack spacing={1.5}>
        {stale && <ErrorBanner problem={stale} onRetry={actions.refresh} />}
        {problem && (
          <Alert severity="error" variant="outlined" onClose={actions.dismissProblem} data-cy="relabel-problem">
            <ProblemText problem={problem} />
          </Alert>
        )}
        {ledger && (
          <UnmeasuredWarning unmeasured={ledger.unmeasured} isTrying={improvement.trying} onTry={actions.tryAgain} onEvaluate={actions.evaluate} />
        )}
        {!ledger && !stale && <Loading />}
        {ledger && <Content improvement={improvement} actions={actions} />}
      </Stack>
    </Box>
  );
}

function Content({ improvement, actions }: { improvement: Improvement; actions: Actions }) {
  const { ledger, evaluation, opened, details } = improvement;
  if (!ledger || !evaluation) return <NothingEvaluated others={ledger?.others ?? []} actions={actions} />;
  const hasRounds = evaluation.entries.length > 0;
  const isOwed = ledger.unmeasured.some(({ eval_key }) => eval_key === null || eval_key === evaluation.key);
  return (
    <>
      <Header evaluations={ledger.evaluations} evaluation={evaluation} refreshing={improvement.refreshing} actions={actions} />
      <Headline evaluation={evaluation} onShow={() => actions.showSamples({})} />
      <YardstickWarning evaluation={evaluation} onShow={() => actions.showSamples({ kind: "mended" })} />
      {hasRounds ? (
        <>
          <ScoreChart entries={evaluation.entries} onShow={(number) => actions.showSamples({ number })} />
          <RoundTable evaluation={evaluation} opened={opened} details={details} actions={actions} />
        </>
      ) : (
        !isOwed && <NoRoundYet evaluation={evaluation} actions={actions} />
      )}
    </>
  );
}

function Loading() {
  return (
    <Box data-cy="relabel-loading">
      <Skeleton width="40%" height={28} />
      <Skeleton width="60%" height={44} />
      <Skeleton variant="rounded" height={180} sx={{ mt: 1 }} />
    </Box>
  );
}
