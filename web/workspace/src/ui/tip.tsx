import { lazy, Suspense, type ComponentProps } from "react";
import type * as Parts from "./tip-parts";

const LazyTip = lazy(() => import("./tip-parts").then((m) => ({ default: m.Tip })));

/** The tooltip comes in its own chunk; the control works and has its name without it. */
export function Tip(props: ComponentProps<typeof Parts.Tip>) {
  return (
    <Suspense fallback={props.children}>
      <LazyTip {...props} />
    </Suspense>
  );
}
