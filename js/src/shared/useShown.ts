import { useState } from "react";

/** How many items of a long list are shown, and what shows as many more. */
export function useShown(step: number): [shown: number, showMore: () => void] {
  const [shown, setShown] = useState(step);
  return [shown, () => setShown((count) => count + step)];
}
