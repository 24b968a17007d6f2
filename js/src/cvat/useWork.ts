import { useMemo, useState } from "react";
import { type Step } from "./types";
import { type Methods } from "./useMethods";

const ASK_MS = 700;

/** What is under way, as far as it is known. */
export interface Work extends Partial<Step> {
  run: string;
  cancelling: boolean;
}

interface Working {
  /** Makes a call that takes a while, under a name of its own, and follows it. */
  follow: <T>(call: (run: string) => Promise<T>) => Promise<T>;
  /** Ends what is under way, unless it is too late; its own call says which. */
  cancel: () => void;
}

/** Follows calls that take a while, one at a time. */
export function useWork(methods: Pick<Methods, "progress" | "cancel">): [Work | null, Working] {
  const [work, setWork] = useState<Work | null>(null);
  const working = useMemo<Working>(() => {
    let current: string | null = null;
    const learn = (run: string, more: Partial<Work>) =>
      setWork((known) => (known?.run === run ? { ...known, ...more } : known));
    const ask = async (run: string) => {
      const answer = await methods.progress(run);
      if (answer.ok) learn(run, answer.value);
    };
    return {
      follow: async (call) => {
        const run = newName();
        current = run;
        setWork({ run, cancelling: false });
        const timer = setInterval(() => void ask(run), ASK_MS);
        try {
          return await call(run);
        } finally {
          clearInterval(timer);
          if (current === run) current = null;
          setWork((known) => (known?.run === run ? null : known));
        }
      },
      cancel: () => {
        if (!current) return;
        learn(current, { cancelling: true });
        void methods.cancel(current);
      },
    };
  }, [methods]);
  return [work, working];
}

/** The browser's own are for pages that came by HTTPS. */
const newName = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
