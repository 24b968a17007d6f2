import { datasetName } from "@fiftyone/state";
import { Box, Stack } from "@mui/material";
import React from "react";
import { useRecoilValue } from "recoil";
import { ErrorBanner } from "../shared/ErrorBanner";
import { Header } from "./Header";
import { NoticeBar } from "./NoticeBar";
import { OperationsLine } from "./OperationsLine";
import { LoadingRounds, NoRounds, NotSetUp } from "./Placeholders";
import { PullDialog } from "./PullDialog";
import { RoundCard } from "./RoundCard";
import { type Job } from "./types";
import { type Actions, type Status, useCvatStatus } from "./useCvatStatus";
import { type MethodUris } from "./useMethods";

/** The React half of the panel; the App hands over the methods of its Python half. */
export function RelabelCvatStatus({ schema }: { schema: { view: MethodUris } }) {
  const dataset = useRecoilValue(datasetName) ?? null;
  return <CvatStatus key={dataset} uris={schema.view} dataset={dataset} />;
}

function CvatStatus({ uris, dataset }: { uris: MethodUris; dataset: string | null }) {
  const [status, actions] = useCvatStatus(uris, dataset);
  return (
    <Box data-cy="relabel-panel" sx={{ position: "relative", height: "100%", overflow: "hidden" }}>
      <Box sx={{ height: "100%", overflow: "auto", p: 2, boxSizing: "border-box" }}>
        <Content status={status} actions={actions} />
      </Box>
      {status.review && (
        <PullDialog review={status.review} jobs={jobsOf(status, status.review.key)} work={status.work} actions={actions} />
      )}
    </Box>
  );
}

const jobsOf = ({ snapshot }: Status, key: string): Job[] =>
  snapshot?.rounds.find((round) => round.key === key)?.tasks.flatMap((task) => task.jobs) ?? [];

function Content({ status, actions }: { status: Status; actions: Actions }) {
  const { snapshot, problem, notice } = status;
  if (status.isLoading) return <LoadingRounds />;
  return (
    <Stack spacing={1.25}>
      {snapshot && (
        <Header
          connection={snapshot.connection}
          updatedAt={snapshot.updated_at}
          refreshing={status.refreshing}
          onRefresh={actions.refresh}
          onSend={snapshot.rounds.length && !status.isUnconfigured ? actions.send : null}
        />
      )}
      {problem && <ErrorBanner problem={problem} onRetry={actions.refresh} />}
      {notice && <NoticeBar notice={notice} actions={actions} />}
      {snapshot && <Rounds status={status} actions={actions} />}
      {snapshot && !status.isUnconfigured && <OperationsLine snapshot={snapshot} actions={actions} />}
    </Stack>
  );
}

function Rounds({ status, actions }: { status: Status; actions: Actions }) {
  const { snapshot, isStale } = status;
  if (!snapshot) return null;
  const { connection, rounds } = snapshot;
  if (status.isUnconfigured) return <NotSetUp connection={connection} onRetry={actions.refresh} />;
  if (!rounds.length) return isStale ? null : <NoRounds onSend={actions.send} />;
  return (
    <Stack spacing={1} sx={{ opacity: isStale ? 0.5 : 1 }}>
      {rounds.map((round) => (
        <RoundCard
          key={round.key}
          round={round}
          connection={connection}
          isOpen={status.expanded.includes(round.key)}
          isStale={isStale}
          isUndoing={status.undoing === round.key}
          work={status.work}
          changing={status.changing}
          people={status.people}
          actions={actions}
        />
      ))}
    </Stack>
  );
}
