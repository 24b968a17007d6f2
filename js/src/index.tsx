import { PluginComponentType, registerComponent } from "@fiftyone/plugins";
import { RelabelCvatStatus } from "./cvat/RelabelCvatStatus";

registerComponent({
  name: "RelabelCvatStatus",
  label: "CVAT",
  component: RelabelCvatStatus,
  type: PluginComponentType.Component,
  activator: () => true,
});
