import { Box, NativeSelect, Typography } from "@mui/material";
import React from "react";
import { type FilterName, filterOptions } from "./derive";
import { type Job, type JobChoice } from "./types";

interface ReviewFiltersProps {
  jobs: Job[];
  choice: JobChoice;
  disabled: boolean;
  onChoose: (choice: JobChoice) => void;
}

/** Narrows a review to jobs of one state, stage or person. */
export function ReviewFilters({ jobs, choice, disabled, onChoose }: ReviewFiltersProps) {
  const options = filterOptions(jobs);
  return (
    <Box sx={{ display: "flex", flexWrap: "wrap", columnGap: 2, rowGap: 0.5, mt: 1 }}>
      {(Object.keys(options) as FilterName[]).map((name) => (
        <Box key={name} component="label" sx={{ display: "inline-flex", alignItems: "center", gap: 0.75 }}>
          <Typography variant="body2" color="text.secondary">
            {options[name].title}
          </Typography>
          <NativeSelect
            disableUnderline
            disabled={disabled}
            value={choice[name][0] ?? "*"}
            onChange={({ target: { value } }) => onChoose({ ...choice, [name]: value === "*" ? [] : [value] })}
            inputProps={{ ["data-cy" as string]: `relabel-filter-${name}`, "aria-label": options[name].title }}
            sx={{ fontSize: 13 }}
          >
            <option value="*">{options[name].all}</option>
            {options[name].values.map((value) => (
              <option key={value} value={value}>
                {value || "nobody"}
              </option>
            ))}
          </NativeSelect>
        </Box>
      ))}
    </Box>
  );
}
