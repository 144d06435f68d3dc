import type { Entry } from "@continuo/api-client";

type Mail = NonNullable<Entry["body"]["mail"]>;
const nobody: Mail = { from: null, to: [], cc: [], bcc: [], reply_to: [], mode: null, signature: null, automatic: false };
const at = (address: string, name: string | null = null) => ({ address, name });

/** Mails of the sample conversation, as the server answers them: cleaned HTML, folds marked, pictures of the network without `src`. */
export const mails: { text: string; subject: string; html: string | null; mail: Mail; out?: boolean; level?: number; flags?: string[] }[] = [
  {
    subject: "Fwd: Charged twice for order 8841",
    text: "Hello,\n\nour bookkeeping asks for a corrected invoice as well.\n\nKind regards\nAda",
    html: '<div style="font-family: Calibri; font-size: 11pt; color: #000000"><p>Hello,</p><p>our bookkeeping asks for a <b>corrected invoice</b> as well. These are the positions:</p><table border="1" style="border-collapse: collapse"><tr><td style="padding: 4px 8px">Order</td><td style="padding: 4px 8px">Sum</td></tr><tr><td style="padding: 4px 8px">8841</td><td style="padding: 4px 8px">48.90</td></tr></table><p>See <a href="https://novak-print.example/books">our books</a>.</p></div><div data-fold="signature"><p>Kind regards<br>Ada Novak<br><img data-remote-src="https://novak-print.example/logo.png" alt="Novak Print" width="120" height="40"></p></div><div data-fold="quote"><p>On Monday Bo Larsen wrote:</p><blockquote>Good morning Ada,<br>thank you for the statement. I have asked our payment provider.</blockquote></div>',
    mail: { ...nobody, from: at("ada@novak-print.example", "Ada Novak"), to: [at("hello@roastery.example", "Nordlicht Roastery"), at("bo@roastery.example", "Bo Larsen")], cc: [at("books@novak-print.example"), at("ines.costa@novak-print.example", "Ines Costa"), at("tom@novak-print.example", "Tom Keller"), at("office@novak-print.example")] },
    level: 2, flags: ["new_participant"],
  },
  {
    subject: "Re: Charged twice for order 8841",
    text: "Dear Ada,\n\nthe corrected invoice is attached.",
    html: "<p>Dear Ada,</p><p>the corrected invoice is attached.</p>", out: true,
    mail: { ...nobody, from: at("hello@roastery.example", "Nordlicht Roastery"), to: [at("ada@novak-print.example", "Ada Novak")], cc: [at("books@novak-print.example")], bcc: [at("archive@roastery.example")], mode: "reply_all", signature: "Bo Larsen\nNordlicht Roastery\nLindenweg 4, Leipzig" },
  },
  {
    subject: "Your account statement is ready",
    text: "Your statement is ready. Sign in to see it.",
    html: '<table width="100%" bgcolor="#0b6b74"><tr><td align="center" style="padding: 16px"><font color="#ffffff" size="5">Bank of Leipzig</font></td></tr></table><table width="600" align="center" bgcolor="#ffffff"><tr><td style="padding: 20px"><img data-remote-src="https://bank.example/head.png" width="560" height="120" alt="Your statement"><p style="color: #333333">Dear customer,</p><p style="color: #a00000"><b>Your statement is ready.</b> Sign in to see it.</p><p><a href="https://bank.example.attacker.example/x" style="background-color: #0b6b74; color: #ffffff; padding: 8px 16px">Sign in</a></p><img data-remote-src="https://t.example/p.gif" width="1" height="1"></td></tr></table>',
    mail: { ...nobody, from: at("ada@novak-print.example", "Ada Novak"), to: [at("hello@roastery.example")], reply_to: [at("bank@attacker.example")], automatic: true },
    level: 0, flags: ["spoof_suspected"],
  },
  { subject: "Fwd: terms", text: "---- Forwarded ----\nThe terms.", html: '<div data-fold="forward"><p>From: Legal<br>Subject: terms</p><p>Nothing but this was forwarded, so it is not hidden.</p></div>', mail: { ...nobody, from: at("ada@novak-print.example"), to: [at("hello@roastery.example")] }, level: 1 },
];
