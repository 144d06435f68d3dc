import { Copy, Check as CheckIcon } from "lucide-react";
import { useRef, useState } from "react";
import { t } from "../text";
import { Button } from "./button";

/** Copies a text; where the clipboard is closed (plain http) the text is selected instead. */
export function CopyButton({ text, label = t.copy, target, look = "plain", size = "m" }: { text: string; label?: string; target?: () => HTMLElement | null; look?: "plain" | "primary" | "quiet"; size?: "s" | "m" }) {
  const [done, setDone] = useState<"copied" | "selected" | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const copy = async () => {
    clearTimeout(timer.current);
    try {
      await navigator.clipboard.writeText(text);
      setDone("copied");
    } catch {
      const node = target?.();
      if (node) getSelection()?.selectAllChildren(node);
      setDone("selected");
    }
    timer.current = setTimeout(() => setDone(null), 2_500);
  };
  return (
    <Button look={look} size={size} icon={done === "copied" ? <CheckIcon size={15} aria-hidden /> : <Copy size={15} aria-hidden />} onClick={() => void copy()}>
      <span aria-live="polite">{done === "copied" ? t.copied : done === "selected" ? t.selectedForCopy : label}</span>
    </Button>
  );
}
