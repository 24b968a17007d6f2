// The parts of the App that we use; @fiftyone/* is not published, the App puts it on window.
declare module "@fiftyone/plugins" {
  export enum PluginComponentType {
    Plot = 1,
    Panel = 2,
    Component = 3,
    SampleRenderer = 4,
  }
  export function registerComponent(registration: {
    name: string;
    label?: string;
    component: import("react").ComponentType<any>;
    type: PluginComponentType;
    activator?: () => boolean;
  }): void;
}

declare module "@fiftyone/operators" {
  export interface PanelEventResponse {
    result?: unknown;
    error?: unknown;
    errorMessage?: string;
  }
  export function useTriggerPanelEvent(): (
    event: string,
    params?: object,
    prompt?: boolean,
    callback?: (response: PanelEventResponse) => void | false,
  ) => void;
  export function usePromptOperatorInput(): (uri: string, params?: object) => void;
}

declare module "@fiftyone/spaces" {
  export function usePanelStatePartial<T>(
    key: string,
    initial: T,
    local?: boolean,
  ): [T, (value: T) => void];
}

declare module "@fiftyone/state" {
  export const datasetName: { readonly __value?: string | null };
  export function getSampleSrc(path: string): string;
}

declare module "recoil" {
  export function useRecoilValue<T>(value: { readonly __value?: T }): T;
}
