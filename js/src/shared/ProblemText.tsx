import React from "react";
import { type Problem } from "./answer";

export function ProblemText({ problem: { message, advice } }: { problem: Problem }) {
  return (
    <>
      {message}
      {advice && <div style={{ opacity: 0.8 }}>{advice}</div>}
    </>
  );
}
