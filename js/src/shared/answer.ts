/** Reads what a panel method answered: a result, an error it reports, or a failure of the App. */
import { type PanelEventResponse } from "@fiftyone/operators";

export interface Problem {
  message: string;
  advice: string;
}

export type Answer<T> = { ok: true; value: T } | { ok: false; problem: Problem };

const NO_ANSWER: Problem = {
  message: "The App's server did not answer.",
  advice: "Look at its log, then try again.",
};

export function toAnswer<T>(response: PanelEventResponse): Answer<T> {
  if (response.error) {
    const message = response.errorMessage || String(response.error);
    return { ok: false, problem: { message, advice: NO_ANSWER.advice } };
  }
  const result = response.result as ({ error?: Partial<Problem> } & T) | null | undefined;
  if (!result) return { ok: false, problem: NO_ANSWER };
  if (result.error) {
    const { message = NO_ANSWER.message, advice = "" } = result.error;
    return { ok: false, problem: { message, advice } };
  }
  return { ok: true, value: result };
}

/** Resolves as the promise does, or to "no answer" after a while. */
export function within<T>(promise: Promise<Answer<T>>, ms: number): Promise<Answer<T>> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<Answer<T>>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, problem: NO_ANSWER }), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
