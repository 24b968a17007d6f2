import React from "react";
import { type Problem } from "../cvat/types";

export function ProblemText({ problem: { message, advice } }: { problem: Problem }) {
  return (
    <>
      {message}
      {advice && <div style={{ opacity: 0.8 }}>{advice}</div>}
    </>
  );
}
