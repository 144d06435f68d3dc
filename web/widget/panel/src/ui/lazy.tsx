import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A part that the first message does not need: its code comes when it is first shown. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | null = null;
  return function Later(props: P) {
    const [, setReady] = useState(false);
    useEffect(() => {
      if (loaded) return;
      load().then(
        (part) => {
          loaded = part;
          setReady(true);
        },
        () => undefined, // offline: it is tried again when it is shown again
      );
    }, []);
    const Part = loaded;
    return Part && <Part {...props} />;
  };
}
