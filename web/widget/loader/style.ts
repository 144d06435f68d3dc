/** Sealed in the shadow root. Sizes are px on purpose: the host page may set any root font size.
 * `--f` fill, `--o` what stands on it, `--r` `--q` radii of launcher and panel, `--g` colour scheme, `--i` the corner. */
export const style = `:host{all:initial}
.l,.p{position:fixed;z-index:2147483000;bottom:20px;inset-inline:var(--i);box-sizing:border-box}
.l{width:56px;height:56px;border:1px solid #fff5;border-radius:var(--r);padding:0;background:var(--f);color:var(--o);cursor:pointer;box-shadow:0 4px 16px #0b162140;transition:transform .12s}
.l:hover{transform:scale(1.06)}
.l:focus-visible{outline:2px solid var(--f);outline-offset:2px;box-shadow:0 0 0 6px #fff}
svg{display:block;margin:auto;width:28px;fill:none;stroke:currentColor;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.b{position:absolute;top:-5px;inset-inline-end:-5px;min-width:12px;padding:0 5px;border:2px solid #fff;border-radius:11px;background:#b3261e;color:#fff;font:600 12px/18px system-ui,sans-serif}
.b:empty,.o .b{display:none}
.v{position:fixed;clip-path:inset(50%)}
.p{bottom:88px;width:min(400px,100vw - 40px);height:min(680px,100vh - 108px);border-radius:var(--q);overflow:hidden;background:Canvas;color-scheme:var(--g);box-shadow:0 16px 48px #0b162133,0 0 0 1px #0b16211f;visibility:hidden;opacity:0;transform:translateY(12px);transition:opacity .15s,transform .15s,visibility .15s}
.o .p{visibility:visible;opacity:1;transform:none}
iframe{width:100%;height:100%;border:0;opacity:0}
.y iframe{opacity:1}
@media (max-width:520px),(max-height:460px){.p{inset:var(--t,0) 0 auto;width:100%;height:var(--h,100dvh);border-radius:0}.o .l{visibility:hidden}}
@media (prefers-reduced-motion){*{transition:none!important}}
@media print{.l,.p{display:none}}`;
