import qrcode from "qrcode-generator";
import { useMemo } from "react";

/** A QR code as one path; always dark on white, or cameras do not read it. */
export function Qr({ text, label, size = 160 }: { text: string; label: string; size?: number }) {
  const { path, count } = useMemo(() => {
    const qr = qrcode(0, "M");
    qr.addData(text);
    qr.make();
    const n = qr.getModuleCount();
    let d = "";
    for (let y = 0; y < n; y++) for (let x = 0; x < n; x++) if (qr.isDark(y, x)) d += `M${x + 2} ${y + 2}h1v1h-1z`;
    return { path: d, count: n + 4 };
  }, [text]);
  return (
    <svg role="img" aria-label={label} viewBox={`0 0 ${count} ${count}`} width={size} height={size} shapeRendering="crispEdges" className="shrink-0 rounded-card border border-line">
      <rect width={count} height={count} fill="white" />
      <path d={path} fill="black" />
    </svg>
  );
}
