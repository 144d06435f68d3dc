import { lazy, Suspense, type ComponentProps } from "react";
import type * as Parts from "./menu-parts";

/*
 * Radix with its positioning is 40 KB; the list can be read without it. So the menus come in their own chunk,
 * and until it is there the trigger stands alone, looking the same.
 */
const load = () => import("./menu-parts");
export const preloadMenus = () => void load();
const LazyMenu = lazy(() => load().then((m) => ({ default: m.Menu })));
const LazyPop = lazy(() => load().then((m) => ({ default: m.Pop })));

export function Menu(props: ComponentProps<typeof Parts.Menu>) {
  return (
    <Suspense fallback={props.trigger}>
      <LazyMenu {...props} />
    </Suspense>
  );
}
export function Pop(props: ComponentProps<typeof Parts.Pop>) {
  return (
    <Suspense fallback={props.trigger}>
      <LazyPop {...props} />
    </Suspense>
  );
}
export const MenuItem = lazy(() => load().then((m) => ({ default: m.MenuItem })));
export const MenuLabel = lazy(() => load().then((m) => ({ default: m.MenuLabel })));
export const MenuLine = lazy(() => load().then((m) => ({ default: m.MenuLine })));
