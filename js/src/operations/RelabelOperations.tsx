import { datasetName } from "@fiftyone/state";
import { Alert, Box, Skeleton, Stack, Typography } from "@mui/material";
import React from "react";
import { useRecoilValue } from "recoil";
import { ErrorBanner } from "../shared/ErrorBanner";
import { MoreButton } from "../shared/MoreButton";
import { ProblemText } from "../shared/ProblemText";
import { useNow } from "../shared/useNow";
import { useShown } from "../shared/useShown";
import { elsewhereText } from "./derive";
import { ExecutorList } from "./ExecutorList";
import { Header } from "./Header";
import { OperationCard } from "./OperationCard";
import { NoExecutor, NoOperations } from "./Placeholders";
import { type Snapshot } from "./types";
import { type Actions, type MethodUris, type Status, useOperations } from "./useOperations";

const OPERATIONS_SHOWN = 10;

/** The React half of the panel; the App hands over the methods of its Python half. */
export function RelabelOperations({ schema }: { schema: { view: MethodUris } }) {
  const dataset = useRecoilValue(datasetName) ?? null;
  return <Operations key={dataset} uris={schema.view} dataset={dataset} />;
}

function Operations({ uris, dataset }: { uris: MethodUris; dataset: string | null }) {
  const [status, actions] = useOperations(uris, dataset);
  const { snapshot, problem, refused } = status;
  return (
    <Box data-cy="relabel-operations" sx={{ height: "100%", overflow: "auto", p: 2, boxSizing: "border-box" }}>
      <Stack spacing={1.25}>
        {snapshot && <Header snapshot={snapshot} refreshing={status.refreshing} onRefresh={actions.refresh} />}
        {problem && <ErrorBanner problem={problem} onRetry={actions.refresh} />}
        {refused && (
          <Alert severity="warning" variant="outlined" onClose={actions.dismiss} data-cy="relabel-refused">
            <ProblemText problem={refused} />
          </Alert>
        )}
        {snapshot ? <Content snapshot={snapshot} status={status} actions={actions} /> : !problem && <Loading />}
      </Stack>
    </Box>
  );
}

function Loading() {
  return (
    <Box data-cy="relabel-loading">
      <Skeleton width="55%" height={28} />
      <Skeleton variant="rounded" height={76} sx={{ mt: 1 }} />
    </Box>
  );
}

export function Content({ snapshot, status, actions }: { snapshot: Snapshot; status: Status; actions: Actions }) {
  const now = useNow(1000);
  const [shown, showMore] = useShown(OPERATIONS_SHOWN);
  const { operations, executors } = snapshot;
  return (
    <Stack spacing={1} sx={{ opacity: status.problem ? 0.5 : 1 }}>
      {operations.slice(0, shown).map((operation) => (
        <OperationCard
          key={operation.id}
          operation={operation}
          now={now}
          isOpen={status.open.includes(operation.id)}
          isChanging={status.changing.includes(operation.id)}
          actions={actions}
        />
      ))}
      <MoreButton shown={shown} all={operations.length} noun="operation" onMore={showMore} />
      {!operations.length && executors.length > 0 && <NoOperations />}
      <Typography variant="caption" color="text.secondary" data-cy="relabel-elsewhere">
        {elsewhereText(snapshot)}
      </Typography>
      {executors.length ? <ExecutorList executors={executors} /> : <NoExecutor />}
    </Stack>
  );
}
