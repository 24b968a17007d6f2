import { useEffect, useMemo, useRef } from "react";
import { Poller } from "./poller";

const SHORTEST_MS = 5_000;
const LONGEST_MS = 60_000;

/** Polls while mounted and seen. Returns how to do it at once. */
export function usePolling(run: () => Promise<boolean>): () => Promise<void> {
  const latest = useRef(run);
  latest.current = run;
  const poller = useMemo(
    () =>
      new Poller({
        run: () => latest.current(),
        isWanted: () => document.visibilityState === "visible",
        shortestMs: SHORTEST_MS,
        longestMs: LONGEST_MS,
      }),
    [],
  );
  useEffect(() => {
    const wake = () => poller.wake();
    document.addEventListener("visibilitychange", wake);
    poller.start();
    return () => {
      document.removeEventListener("visibilitychange", wake);
      poller.stop();
    };
  }, [poller]);
  return () => poller.now();
}
