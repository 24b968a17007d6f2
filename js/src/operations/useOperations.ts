import { usePromptOperatorInput } from "@fiftyone/operators";
import { usePanelStatePartial } from "@fiftyone/spaces";
import { useEffect, useMemo, useRef, useState } from "react";
import { type Problem } from "../shared/answer";
import { READ_MS, useCalls } from "../shared/useCalls";
import { usePolling } from "../shared/usePolling";
import { type Snapshot } from "./types";

/** The methods of the Python half; the App hands them over as URIs. */
export type MethodUris = Record<"refresh" | "cancel" | "repeat", string>;

/** What is to be seen; read only. */
export interface Status {
  snapshot: Snapshot | null;
  problem: Problem | null;
  /** What the last click met. */
  refused: Problem | null;
  refreshing: boolean;
  /** The operations whose log is shown. */
  open: string[];
  /** The operations that are being cancelled or repeated. */
  changing: string[];
}

/** What a click can do. */
export interface Actions {
  refresh: () => void;
  toggle: (id: string) => void;
  cancel: (id: string) => void;
  repeat: (id: string) => void;
  /** Shows what an operation returned, and opens what it made. */
  showResult: (id: string) => void;
  dismiss: () => void;
}

/** What outlives the panel's being hidden or moved. */
interface Remembered {
  dataset: string | null;
  snapshot: Snapshot | null;
  open: string[];
}

const SHOW_RESULT = "@relabel/cvat/show_result";
const NOTHING: Remembered = { dataset: null, snapshot: null, open: [] };

export function useOperations(uris: MethodUris, dataset: string | null): [Status, Actions] {
  const call = useCalls(uris);
  const prompt = usePromptOperatorInput();
  const [remembered, remember] = usePanelStatePartial<Remembered>("relabel-operations", NOTHING, true);
  const known = remembered?.dataset === dataset ? remembered : NOTHING;
  const [snapshot, setSnapshot] = useState(known.snapshot);
  const [open, setOpen] = useState(known.open);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [refused, setRefused] = useState<Problem | null>(null);
  const [refreshing, setRefreshing] = useState(false);
  const [changing, setChanging] = useState<string[]>([]);
  const opened = useRef(open);
  opened.current = open;

  useEffect(() => remember({ dataset, snapshot, open }), [dataset, snapshot, open]);

  const pollNow = usePolling(async () => {
    setRefreshing(true);
    const answer = await call<Snapshot>("refresh", { opened: opened.current }, READ_MS);
    setRefreshing(false);
    setProblem(answer.ok ? null : answer.problem);
    if (answer.ok) setSnapshot(answer.value); // else what was known last stays
    return answer.ok;
  });

  useEffect(() => {
    if (open.length) void pollNow(); // what was opened has no log yet
  }, [open]);

  const actions = useMemo<Actions>(() => {
    const change = (method: "cancel" | "repeat") => async (id: string) => {
      setRefused(null);
      setChanging((ids) => [...ids, id]);
      const answer = await call(method, { operation: id }, READ_MS);
      if (!answer.ok) setRefused(answer.problem);
      await pollNow();
      setChanging((ids) => ids.filter((one) => one !== id));
    };
    return {
      refresh: () => void pollNow(),
      toggle: (id) => setOpen((ids) => (ids.includes(id) ? ids.filter((one) => one !== id) : [...ids, id])),
      cancel: change("cancel"),
      repeat: change("repeat"),
      showResult: (operation) => prompt(SHOW_RESULT, { operation }),
      dismiss: () => setRefused(null),
    };
  }, [call]);

  return [{ snapshot, problem, refused, refreshing, open, changing }, actions];
}
