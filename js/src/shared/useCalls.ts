import { useTriggerPanelEvent } from "@fiftyone/operators";
import { useMemo, useRef } from "react";
import { type Answer, toAnswer, within } from "./answer";

export const READ_MS = 90_000;
export const WRITE_MS = 600_000; // as long as the App's server lets an operator run

/** Calls a method of the Python half and waits so long for its answer. */
export type Call<M extends string> = <T>(method: M, params: object, ms: number) => Promise<Answer<T>>;

/** Calls methods of the Python half, which the App hands over as URIs. It is the same at every render. */
export function useCalls<M extends string>(uris: Record<M, string>): Call<M> {
  const trigger = useTriggerPanelEvent();
  const current = useRef({ trigger, uris });
  current.current = { trigger, uris };

  return useMemo(
    () => (method, params, ms) =>
      within(
        new Promise((resolve) => {
          const { trigger, uris } = current.current;
          trigger(uris[method], params, false, (response) => {
            resolve(toAnswer(response));
            return false; // else the App replaces the whole panel by its error page
          });
        }),
        ms,
      ),
    [],
  );
}
