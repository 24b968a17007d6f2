import { usePromptOperatorInput } from "@fiftyone/operators";
import { usePanelStatePartial } from "@fiftyone/spaces";
import { useEffect, useMemo, useState } from "react";
import { type Answer, type Problem } from "../shared/answer";
import { saveFile } from "../shared/saveFile";
import { READ_MS, useCalls, WRITE_MS } from "../shared/useCalls";
import { usePolling } from "../shared/usePolling";
import { type Behind, type Details, type Evaluation, type Ledger, type Refreshed } from "./types";

export type MethodUris = Record<"refresh" | "details" | "show_samples" | "export" | "try_again", string>;

/** What is derived from the panel's state; read only. */
export interface Improvement {
  ledger: Ledger | null;
  evaluation: Evaluation | null;
  refreshing: boolean;
  /** Whether evaluations that could not be made are tried again. */
  trying: boolean;
  /** Why what is shown may be old. */
  stale: Problem | null;
  /** Why the last click came to nothing. */
  problem: Problem | null;
  /** The numbers of the entries that are open. */
  opened: number[];
  /** What is known of entries that were opened, or why it is not. */
  details: Record<number, Answer<Details>>;
}

/** What a click can do. */
export interface Actions {
  refresh: () => void;
  choose: (key: string) => void;
  toggle: (number: number) => void;
  showSamples: (behind: Behind) => void;
  save: () => void;
  tryAgain: () => void;
  dismissProblem: () => void;
  evaluate: () => void;
  findErrors: () => void;
  send: () => void;
}

/** What outlives the panel's being hidden or moved. */
interface Remembered {
  dataset: string | null;
  chosen: string | null;
  opened: number[];
}

const OPERATOR = {
  evaluate: "@relabel/cvat/evaluate_detections",
  findErrors: "@relabel/cvat/find_label_errors",
  send: "@relabel/cvat/send_to_cvat",
};
const NOTHING: Remembered = { dataset: null, chosen: null, opened: [] };

export function useImprovement(uris: MethodUris, dataset: string | null): [Improvement, Actions] {
  const call = useCalls(uris);
  const prompt = usePromptOperatorInput();
  const [remembered, remember] = usePanelStatePartial<Remembered>("relabel_improvement", NOTHING, true);
  const known = remembered?.dataset === dataset ? remembered : NOTHING;
  const [chosen, setChosen] = useState(known.chosen);
  const [opened, setOpened] = useState(known.opened);
  const [ledger, setLedger] = useState<Ledger | null>(null);
  const [refreshing, setRefreshing] = useState(false);
  const [trying, setTrying] = useState(false);
  const [stale, setStale] = useState<Problem | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => {
    remember({ dataset, chosen, opened });
  }, [dataset, chosen, opened]);

  const refresh = usePolling(async () => {
    setRefreshing(true);
    const answer = await call<Refreshed>("refresh", { known: ledger?.version ?? null }, READ_MS);
    setRefreshing(false);
    setStale(answer.ok ? null : answer.problem);
    if (answer.ok && answer.value.evaluations) setLedger(answer.value);
    return answer.ok;
  });

  const evaluation = ledger?.evaluations.find(({ key }) => key === chosen) ?? ledger?.evaluations[0] ?? null;
  const details = useDetails(call, evaluation, opened, ledger?.version ?? "");

  const actions = useMemo<Actions>(() => {
    const report = (answer: Answer<unknown>) => setProblem(answer.ok ? null : answer.problem);
    const eval_key = evaluation?.key;
    return {
      refresh: () => void refresh(),
      choose: (key) => {
        setChosen(key);
        setOpened([]);
      },
      toggle: (number) => setOpened((open) => (open.includes(number) ? open.filter((one) => one !== number) : [...open, number])),
      showSamples: async (behind) => report(await call("show_samples", { eval_key, ...behind }, READ_MS)),
      save: async () => {
        const answer = await call<{ name: string; text: string }>("export", { eval_key }, READ_MS);
        report(answer);
        if (answer.ok) saveFile(answer.value.name, answer.value.text, "text/csv");
      },
      tryAgain: async () => {
        setTrying(true);
        report(await call("try_again", {}, WRITE_MS));
        setTrying(false);
        void refresh();
      },
      dismissProblem: () => setProblem(null),
      evaluate: () => prompt(OPERATOR.evaluate),
      findErrors: () => prompt(OPERATOR.findErrors),
      send: () => prompt(OPERATOR.send),
    };
  }, [call, evaluation?.key]);

  return [{ ledger, evaluation, refreshing, trying, stale, problem, opened, details }, actions];
}

/** Asks once for the details of every entry that is open. */
function useDetails(
  call: ReturnType<typeof useCalls<keyof MethodUris>>,
  evaluation: Evaluation | null,
  opened: number[],
  version: string,
): Improvement["details"] {
  const [known, setKnown] = useState<Record<string, Answer<Details> | null>>({});
  const nameOf = (number: number) => `${version}/${evaluation?.key}/${number}`;
  const present = opened.filter((number) => evaluation?.entries.some((entry) => entry.number === number));
  const missing = present.filter((number) => !(nameOf(number) in known));

  useEffect(() => {
    for (const number of missing) {
      const name = nameOf(number);
      setKnown((before) => ({ ...before, [name]: null }));
      void call<Details>("details", { eval_key: evaluation?.key, number }, READ_MS).then((answer) =>
        setKnown((before) => ({ ...before, [name]: answer })),
      );
    }
  }, [missing.map(nameOf).join()]);

  return Object.fromEntries(
    present.flatMap((number) => {
      const answer = known[nameOf(number)];
      return answer ? [[number, answer]] : [];
    }),
  );
}
