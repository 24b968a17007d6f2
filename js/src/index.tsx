import { PluginComponentType, registerComponent } from "@fiftyone/plugins";
import { RelabelCvatStatus } from "./cvat/RelabelCvatStatus";
import { RelabelImprovement } from "./improvement/RelabelImprovement";
import { RelabelOperations } from "./operations/RelabelOperations";

registerComponent({
  name: "RelabelCvatStatus",
  label: "CVAT",
  component: RelabelCvatStatus,
  type: PluginComponentType.Component,
  activator: () => true,
});

registerComponent({
  name: "RelabelImprovement",
  label: "Improvement",
  component: RelabelImprovement,
  type: PluginComponentType.Component,
  activator: () => true,
});

registerComponent({
  name: "RelabelOperations",
  label: "Operations",
  component: RelabelOperations,
  type: PluginComponentType.Component,
  activator: () => true,
});
