/** Sealed in the shadow root. Sizes are px on purpose: the host page may set any root font size. `--f` fill, `--o` text on it, `--r` radius. */
export const style = `
:host{all:initial;position:fixed;z-index:2147483000;inset-block-end:0;inset-inline-end:0}
:host([hidden]){display:none}
*{box-sizing:border-box}
.l,.p{position:fixed;inset-block-end:20px;inset-inline-end:20px}
.s .l,.s .p{inset-inline:20px auto}
.l{inline-size:56px;block-size:56px;border:1px solid #ffffff3d;border-radius:var(--r);padding:0;background:var(--f);color:var(--o);cursor:pointer;box-shadow:0 4px 16px #0b162124,0 1px 3px #0b162140;transition:transform .12s}
.l:hover{transform:scale(1.06)}
.l:active{transform:scale(.96)}
.l:focus-visible{outline:2px solid var(--o);outline-offset:-5px;box-shadow:0 0 0 2px var(--f),0 0 0 4px #fff,0 4px 16px #0b162124}
svg{position:absolute;inset:0;margin:auto;inline-size:28px;block-size:28px;fill:none;stroke:currentColor;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round;transition:opacity .12s,transform .12s}
.x,.o .c{opacity:0;transform:scale(.6) rotate(-20deg)}
.o .x{opacity:1;transform:none}
.b{position:absolute;inset-block-start:-4px;inset-inline-end:-4px;min-inline-size:22px;block-size:22px;padding:0 6px;border:2px solid #fff;border-radius:11px;background:#b3261e;color:#fff;font:600 12px/18px system-ui,sans-serif;text-align:center}
.b:empty,.o .b{display:none}
.v{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.p{inset-block-end:88px;inline-size:400px;block-size:680px;max-inline-size:calc(100vw - 40px);max-block-size:calc(100vh - 108px);max-block-size:calc(100dvh - 108px);border-radius:var(--q);overflow:hidden;background:var(--g);box-shadow:0 16px 48px #0b162133,0 0 0 1px #0b16211f;visibility:hidden;opacity:0;transform:translateY(12px);transition:opacity .15s,transform .15s,visibility 0s .15s}
.o .p{visibility:visible;opacity:1;transform:none;transition:opacity .15s,transform .15s}
iframe{inline-size:100%;block-size:100%;border:0;display:block;opacity:0;transition:opacity .12s;color-scheme:normal}
.y iframe{opacity:1}
@media (max-width:520px),(max-height:460px){.l,.p{inset-block-end:16px;inset-inline-end:16px}.s .l,.s .p{inset-inline:16px auto}
.p,.s .p{inset:var(--t,0) 0 auto;inline-size:100%;block-size:var(--h,100dvh);max-inline-size:none;max-block-size:none;border-radius:0;box-shadow:none}.o .l{visibility:hidden}}
@media (prefers-reduced-motion:reduce){*{transition:none!important}}
@media print{:host{display:none}}
@media (forced-colors:active){.l{border:2px solid ButtonText}}
`;
